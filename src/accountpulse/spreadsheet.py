"""What a spreadsheet would take for a formula is made harmless in every CSV file that the program writes."""

import re

import polars as pl

# a cell that begins so, once blanks, byte-order marks and full-width forms are seen through (OWASP, CSV injection);
# apostrophes before it are counted in, so that taking one away gives back what was there
_FORMULA = r"^'*[\s\u00a0\u200b\ufeff]*[=+\-@\t\r＝＋－＠]"
_NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with an apostrophe before each text that looks like a formula; numbers written as text stay."""
    texts = [pl.col(name) for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)).then("'" + text).otherwise(text).name.keep()
        for text in texts
    )


def meant(cell: str) -> str:
    """The text of a cell that `harmless` wrote: without the apostrophe that it put before a formula."""
    text = cell.removeprefix("'")
    guarded = text != cell and re.search(_FORMULA, text) and not re.search(_NUMBER, text, re.ASCII)
    return text if guarded else cell
