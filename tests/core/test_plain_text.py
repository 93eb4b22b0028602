"""Names and messages of others neither steer a terminal nor reorder what stands beside them."""

import polars as pl
import pytest

from accountpulse.core.outgoing import outgoing, outgoing_data, outgoing_table
from accountpulse.core.plain_text import plain, plain_table
from accountpulse.core.redact import MASK, REDACT

HOSTILE = {
    "a \x1b[31;1mred\x1b[0m name": "a red name",
    "\x9b2Jcleared": "cleared",
    "\x1b]0;a title\x07titled \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "titled link",
    "\x1b(Bcharset \x1bcreset": "charset reset",
    "\x1b]never ended": "never ended",
    "nul\x00 bell\x07 back\x08 del\x7f csi\x85": "nul bell back del csi",
    "abc\u202etxt.exe\u2066 \u200fx\u061c": "abctxt.exe x",
    "zero\u200bwidth \ufeffmark \u2063": "zerowidth mark ",
    "half a character \ud83d": "half a character \ufffd",
    "one\u2028two": "one two",
    "over\rwritten": "overwritten",
    "ordinary: Müller & Söhne, 株式会社, 👩‍💻, नमस्ते, שלום": "ordinary: Müller & Söhne, 株式会社, 👩‍💻, नमस्ते, שלום",
    "two\nlines\tand a tab": "two\nlines\tand a tab",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_what_steers_is_gone_and_what_is_read_stays(text: str) -> None:
    assert plain(text) == HOSTILE[text]


def test_a_table_shows_the_same_with_each_text_on_one_line() -> None:
    texts = [text for text in HOSTILE if "\ud83d" not in text]  # no column can hold half a character
    shown = [HOSTILE[text] for text in texts if "\n" not in text and "\r" not in text and "csi" not in text]
    rows = plain_table(pl.DataFrame({"text": texts, "n": range(len(texts))}))
    kept = [text for text in rows["text"] if text in shown]
    assert kept == shown
    assert rows["text"][-1] == "two lines and a tab"
    assert plain_table(pl.DataFrame({"text": [" a \r\n b\x85c "]})).item() == " a b c "


def test_a_secret_that_an_invisible_character_cuts_in_two_is_found() -> None:
    REDACT.learn(["cut-in-two-by-marks-1"])
    assert outgoing("x cut-in-two-\u200bby-marks-1") == f"x {MASK}"
    assert outgoing_data({"a": ["cut-in-\x1b[1mtwo-by-marks-1"]}) == {"a": [MASK]}
    assert outgoing_table(pl.DataFrame({"a": ["cut-\x00in-two-by-marks-1"]})).item() == MASK
