"""What a spreadsheet would take for a formula is made harmless in every CSV file that the program writes."""

import polars as pl

# a cell that begins so, once blanks, byte-order marks and full-width forms are seen through (OWASP, CSV injection)
_FORMULA = r"^[\s\u00a0\u200b\ufeff]*[=+\-@\t\r＝＋－＠]"
_NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with an apostrophe before each text that looks like a formula; numbers written as text stay."""
    texts = [pl.col(name) for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)).then("'" + text).otherwise(text).name.keep()
        for text in texts
    )
