"""The digest as HTML for mail: no picture, no script, nothing that is loaded."""

from collections.abc import Iterator
from html import escape

from accountpulse.core.web_links import WebLink
from accountpulse.notify.message import Digest, Entry, Other
from accountpulse.notify.rendering import one_line_lists, shown_crossings, shown_name

# mail programs read no style sheets: what there is stands at the element
_BODY = "font:15px/1.45 system-ui,sans-serif;color:#1f2328;max-width:42em;margin:0 auto;padding:1em"
_ENTRY = "border-left:3px solid #b42318;padding:.1em 0 .1em .8em;margin:1.1em 0"


def page(digest: Digest) -> str:
    """The whole document. `digest` is one that is ready."""
    parts = [f'<h1 style="font-size:1.25em">{escape(digest.heading)}</h1>']
    parts += [f"<p>For {escape(digest.owner)}</p>"] if digest.owner else []
    parts += [f"<p><em>{escape(each)}</em></p>" for each in digest.notes]
    parts += [_entry(each) for each in digest.entries]
    parts += [text for title, others in one_line_lists(digest) for text in _list(title, others)]
    head = f'<meta charset="utf-8"><title>{escape(digest.heading)}</title>'
    content = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body style="{_BODY}">\n{content}\n</body></html>\n'


def _entry(entry: Entry) -> str:
    return f'<div style="{_ENTRY}">\n' + "<br>\n".join(_lines(entry)) + "\n</div>"


def _lines(entry: Entry) -> Iterator[str]:
    yield f"<strong>{escape(entry.account_name)}</strong>"
    if entry.owner:
        yield f"Owner: {escape(entry.owner)}"
    yield from (escape(each) for each in shown_crossings(entry))
    yield escape(entry.number)
    if entry.reason:
        yield f"Why: {escape(entry.reason)}"
    if entry.next_step:
        yield f"<strong>Next: {escape(entry.next_step)}</strong>"
    if entry.group:
        yield f"Group: {escape(entry.group)}"
    if entry.links:
        yield " · ".join(_link(each) for each in entry.links)


def _list(title: str, others: tuple[Other, ...]) -> list[str]:
    if not others:
        return []
    rows = "\n".join(f"<li>{_one_line(each)}</li>" for each in others)
    return [f'<h2 style="font-size:1.05em">{title} ({len(others):,})</h2>\n<ul>\n{rows}\n</ul>']


def _one_line(other: Other) -> str:
    name = escape(shown_name(other))
    if other.links:
        name = _link(other.links[0]._replace(label=shown_name(other)))
    return f"{name}: {escape(other.text)}"


def _link(link: WebLink) -> str:
    return f'<a href="{escape(link.url)}">{escape(link.label)}</a>'
