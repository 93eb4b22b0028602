"""When two ways to write a name are one: whatever the case, the blanks and the way that accents are composed."""

import unicodedata


def folded(text: str) -> str:
    """The form in which equal names are equal. `Café` isn't `Cafe`: to Jira they are two names as well."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.casefold().split())
