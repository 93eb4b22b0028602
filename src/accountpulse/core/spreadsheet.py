"""What a spreadsheet would take for a formula is made harmless in every CSV file that the program writes."""

import polars as pl

# a cell that begins so, once blanks, byte-order marks and full-width forms are seen through (OWASP, CSV injection);
# apostrophes before it are counted in, so that taking one away gives back what was there
_BLANK = r"[ \t\n\v\f\r\x1c-\x1f\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]"
_FORMULA = rf"^'*{_BLANK}*[=+\-@\t\r＝＋－＠]"
# inside a text, after what separates the cells of some country or starts a row: an office program of a country that
# separates by semicolons opens our file with its own, and cuts the text there
_LATER = rf"([;\t\r\n](?:{_BLANK}|\")*)('*[=+\-@＝＋－＠])"
_LATER_GUARDED = rf"([;\t\r\n](?:{_BLANK}|\")*)'('*[=+\-@＝＋－＠])"
_NUMBER = rf"^{_BLANK}*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?{_BLANK}*$"


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with an apostrophe before each text that looks like a formula, and before such a part of a text.

    Numbers written as text stay.
    """
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(pl.col(texts).str.replace_all(_LATER, "${1}'${2}")).with_columns(
        pl.when(text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)).then("'" + text).otherwise(text).name.keep()
        for text in map(pl.col, texts)
    )


def unwrapped(frame: pl.DataFrame) -> pl.DataFrame:
    """A table with `00123` for `="00123"`, which exports write so that a spreadsheet keeps the zeros."""
    wrapped = [name for name in frame.columns if frame[name].str.starts_with('="').any()]
    return frame.with_columns(pl.col(wrapped).str.replace(r'^="([^"]*)"$', "$1")) if wrapped else frame


def meant_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """A table that `harmless` wrote, without the apostrophes that it put before formulas."""
    guarded = [
        name
        for name, kind in frame.schema.items()
        if kind == pl.String and frame[name].str.contains("'", literal=True).any()
    ]
    if not guarded:
        return frame
    text = pl.col(guarded).str.replace("^'", "")
    is_guarded = pl.col(guarded).str.starts_with("'") & text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    unguarded = frame.with_columns(pl.when(is_guarded).then(text).otherwise(pl.col(guarded)).name.keep())
    return unguarded.with_columns(pl.col(guarded).str.replace_all(_LATER_GUARDED, "${1}${2}"))
