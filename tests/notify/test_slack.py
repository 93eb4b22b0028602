"""The digest to Slack: a webhook of recorded shape on a real socket."""

import json
import re
import socket
from typing import Any

import pytest

from accountpulse.core.secret import Secret
from accountpulse.notify.errors import NotSent
from accountpulse.notify.message import Crossing, Other
from accountpulse.notify.slack import SlackChannel
from notify.digests import LINK, digest, entry, receiver

PATH = "/services/T0AAAAAAA/B0BBBBBBB/abcdefghijklmnopqrstuvwx"


def sent(waits: list[float] | None = None, *answers: Any, **changes: Any) -> list[dict[str, Any]]:
    """The bodies that came of sending one digest; every wait is noted, none is waited for."""
    with receiver(*answers) as slack:
        channel = SlackChannel(Secret(slack.url + PATH), sleep=(waits if waits is not None else []).append)
        channel.send(digest(**changes), {})
        assert {each.path for each in slack.came} == {PATH}
        return [json.loads(each.body) for each in slack.came]


def refused(*answers: Any, seconds: float = 5.0, delay: float = 0.0) -> tuple[NotSent, int]:
    """The error of a sending, and how many requests came."""
    with receiver(*answers, delay=delay) as slack:
        channel = SlackChannel(Secret(slack.url + PATH), sleep=lambda _seconds: None, seconds=seconds)
        with pytest.raises(NotSent) as caught:
            channel.send(digest(), {})
        for secret in (PATH, "T0AAAAAAA", "abcdefghijklmnopqrstuvwx"):
            assert secret not in str(caught.value)
        return caught.value, len(slack.came)


def texts(body: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in body["blocks"] if "text" in block]


def test_a_message_has_the_heading_each_account_with_its_reason_and_step_and_the_link_by_its_name() -> None:
    [body] = sent()
    assert body["text"] == "Customer health, 30 November 2026: 2 accounts crossed a line"
    assert body["blocks"][0]["type"] == "header"
    whole = "\n".join(texts(body))
    for part in (
        "Healthy to At Risk",
        "ARR 423,000 USD",
        "Why: half of the users gone",
        "Next: Call the sponsor",
        "Group: Acme &lt;Holding&gt;: group health",
    ):
        assert part in whole
    assert "<https://example.my.salesforce.com/001Hu0000000001AAA?a=1&amp;b=2|Salesforce>" in whole
    assert "For Dana Owner" in whole
    assert "Jira was not read." in whole
    assert "*Better again (1)*\n• Initech: At Risk to Healthy" in whole


def test_names_from_outside_can_neither_mention_anybody_nor_make_a_link() -> None:
    [body] = sent(entries=(entry("<!channel> <https://evil.example|Acme>"),))
    assert "&lt;!channel&gt; &lt;https://evil.example|Acme&gt;" in texts(body)[3]
    assert all(re.match(r"https?:", each) for each in re.findall(r"<([^>]*)>", "\n".join(texts(body))))


def test_a_link_whose_address_or_label_holds_slacks_own_signs_stays_one_link() -> None:
    link = LINK._replace(label="A|B>C", url="https://example.com/?q=a|b>c")
    [body] = sent(entries=(entry(links=(link,)),))
    assert "<https://example.com/?q=a%7Cb%3Ec|A/B&gt;C>" in texts(body)


def test_an_owner_with_a_member_id_is_mentioned_and_one_with_a_mail_address_is_named() -> None:
    assert "For <@U012AB3CD>" in texts(sent(recipient="U012AB3CD")[0])
    assert "For <!subteam^S012AB3CD>" in texts(sent(recipient="S012AB3CD")[0])
    assert "For Dana Owner" in texts(sent(recipient="dana@example.com")[0])
    with pytest.raises(NotSent, match=r"digest\.owners"):
        sent(recipient="<!channel>")


def test_the_largest_digest_keeps_slacks_limits() -> None:
    long = "<&>" * 1_100
    crossings = tuple(Crossing("tier", long, worse=True) for _ in range(3))
    entries = tuple(entry(long, crossings=crossings, number=long, reason=long, next_step=long) for _ in range(5))
    others = tuple(Other(f"001{n}", f"{n} {long}", long, (LINK,)) for n in range(300))
    [body] = sent(heading=long, entries=entries, others=others, notes=(long,) * 4, owner=long)
    assert len(body["blocks"]) <= 50
    assert len(body["blocks"][0]["text"]["text"]) <= 150
    assert all(0 < len(each) <= 3_000 for each in texts(body))
    assert all(not re.search(r"&(?!(amp|lt|gt);)", each) for each in texts(body)[1:])
    assert "see the report" in texts(body)[-1]


def test_secrets_and_what_steers_a_screen_do_not_leave() -> None:
    Secret("hunter2-hunter2-hunter2")
    [body] = sent(entries=(entry("Acme \x1b[31mhunter2-hunter2-hunter2\nLtd"),))
    assert "*Acme ••• Ltd*" in texts(body)[3]


def test_a_wait_that_slack_asks_for_is_waited() -> None:
    waits: list[float] = []
    assert len(sent(waits, (429, "", {"Retry-After": "7"}), (200, "ok", {}))) == 2
    assert [7 <= each < 8 for each in waits] == [True]


def test_an_error_of_the_server_is_tried_again_and_a_lasting_one_is_told() -> None:
    assert len(sent([], (503, "", {}), (500, "", {}), (200, "ok", {}))) == 3
    error, requests = refused((500, "rollup_error", {}))
    assert requests == 5
    assert error.may_have_arrived
    assert "HTTP 500: rollup_error" in str(error)


@pytest.mark.parametrize(
    ("status", "word"), [(400, "invalid_payload"), (403, "action_prohibited"), (404, "no_service")]
)
def test_a_refusal_is_told_in_slacks_word_with_the_setting_and_not_tried_again(status: int, word: str) -> None:
    error, requests = refused((status, word, {}))
    assert requests == 1
    assert not error.may_have_arrived
    assert f"HTTP {status}: {word}" in str(error)
    assert "ACCOUNTPULSE_SLACK_WEBHOOK" in str(error)


def test_other_texts_of_an_answer_are_not_told() -> None:
    error, _requests = refused((403, "<html>Dear dana@example.com</html>", {}))
    assert "dana" not in str(error)


def test_no_redirect_is_followed() -> None:
    with receiver() as elsewhere:
        error, requests = refused((302, "", {"Location": elsewhere.url}))
        assert (requests, elsewhere.came) == (1, [])
    assert "a redirect, which is not followed" in str(error)


def test_a_page_that_answers_in_slacks_place_is_no_success() -> None:
    error, _requests = refused((200, "<html>Sign in to the Wi-Fi</html>", {}))
    assert error.may_have_arrived
    assert "not Slack's `ok`" in str(error)


def test_without_an_answer_it_may_have_arrived_and_is_not_sent_twice() -> None:
    error, requests = refused(None)
    assert (error.may_have_arrived, requests) == (True, 1)
    error, requests = refused(delay=1.0, seconds=0.2)
    assert (error.may_have_arrived, requests) == (True, 1)
    assert "in time" in str(error)


def test_where_nobody_listens_it_has_not_arrived() -> None:
    with socket.socket() as taken:  # a port that is bound, at which nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(NotSent, match="the connection was refused") as caught:
            SlackChannel(Secret(url + PATH), sleep=lambda _seconds: None).send(digest(), {})
    assert not caught.value.may_have_arrived
