"""Days as people and office programs write them, from the texts of a whole column."""

import polars as pl

# as ISO 8601 has it; a spreadsheet may add midnight
ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]00:00(:00(\.0+)?)?(Z|\+00:00)?)?$"
_DOTTED = r"^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}$"
_SLASHED = r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$"


def days(texts: pl.Series) -> pl.Series:
    """The days (Date); null where a cell is empty, or where it can't be known which day is meant.

    2026-10-31 always. A column of nothing but 31.10.2026 has the day first, as everywhere where points are written. In
    a column of nothing but 10/31/2026 a number above 12 must say which one is the day.
    """
    for pattern, sign in ((_DOTTED, "."), (_SLASHED, "/")):
        if texts.null_count() < len(texts) and texts.str.contains(pattern).all():
            return _of_parts(texts, sign)
    iso = texts.set(~texts.str.contains(ISO).fill_null(value=True), None)
    return iso.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def example(texts: pl.Series, made: pl.Series) -> str:
    """` ('3/4/2026'; why it can't be read)`, of the first text that is no day; nothing where all are."""
    first = texts.filter(texts.is_not_null() & made.is_null())
    return "" if first.is_empty() else f" ({first[0]!r}{doubt(texts, made)})"


def doubt(texts: pl.Series, made: pl.Series) -> str:
    """What a column lacks for its days to be certain, to be put after one of its texts; nothing where it lacks none."""
    if texts.str.contains(_SLASHED).all():
        return "" if _above_twelve(texts) else "; no number of the column is above 12 and says which one is the day"
    return "; all days of a column must be written in one way" if made.is_not_null().any() else ""


def _above_twelve(texts: pl.Series) -> bool:
    return bool(texts.str.contains(r"(?:^|/)(?:1[3-9]|[2-9][0-9])/").any())


def _of_parts(texts: pl.Series, sign: str) -> pl.Series:
    parts = texts.str.split_exact(sign, 2).struct.unnest().cast(pl.Int32)
    first, second, year = parts.get_columns()
    day, month = first, second
    if sign == "/":
        day_first, day_second = bool((first > 12).any()), bool((second > 12).any())
        if day_first == day_second:
            return pl.Series(texts.name, [None] * len(texts), dtype=pl.Date)
        day, month = (first, second) if day_first else (second, first)
    written = pl.DataFrame({"year": year, "month": month, "day": day}).select(
        pl.format("{}-{}-{}", "year", pl.col("month"), pl.col("day"))
    )
    return written.to_series().str.to_date("%Y-%m-%d", strict=False).alias(texts.name)
