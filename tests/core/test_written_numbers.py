"""Numbers as people write them: what a column says of its marks, and that none becomes another."""

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accountpulse.core.written_numbers import MONEY, SHARE, Places, WrittenNumbers, numbers, unmistakable

NBSP, NARROW = "\u00a0", "\u202f"


def read(*texts: str | None, unit: str = MONEY) -> WrittenNumbers:
    lines = pl.Series(range(2, 2 + len(texts)))
    return numbers(pl.Series("x", texts, dtype=pl.String), Places(lines, "line"), unit)


def values(*texts: str | None, unit: str = MONEY) -> list[float | None]:
    found = read(*texts, unit=unit)
    assert found.problems == ()
    return found.values.to_list()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("1.200", "12,5"), [1200, 12.5]),
        (("1,200", "12.5"), [1200, 12.5]),
        (("1.200", "1.200.000"), [1200, 1_200_000]),
        (("1.200", "0.125"), [1.2, 0.125]),
        (("1.200", "1234.567"), [1.2, 1234.567]),
        (("$120,000.50", "$900"), [120_000.5, 900]),
        (("$1,200", "$45,000"), [1200, 45_000]),
        (("1.200 €", "850 €"), [1200, 850]),
        (("120.000,50 €", "EUR 3,5"), [120_000.5, 3.5]),
        (("120.000,50 €", "CHF 3,5"), None),
        ((f"1{NBSP}200,50", f"1{NARROW}200", "1 200"), [1200.5, 1200, 1200]),
        (("1'200.50", "1’200"), [1200.5, 1200]),
        (("(1,200.00)", "-5", "−5", "+5", "-$5", "$-5", "($5)"), [-1200, -5, -5, 5, -5, -5, -5]),
        (("1e5", "-2E-3", "1,5e3"), [1e5, -0.002, 1500]),
        (("#N/A", "#NV", "n/a", "N/A", "k. A.", "", None, "7"), [None] * 7 + [7]),
        (("850", "007"), [850, 7]),
    ],
)
def test_the_column_as_a_whole_says_what_its_marks_mean(texts, expected):
    if expected is None:
        assert read(*texts).problems == ("there are amounts in € and in CHF: give all in one currency",)
    else:
        assert values(*texts) == expected


@pytest.mark.parametrize("text", ["1.200", "1,200", "-1.200", "(1,200)"])
def test_a_number_that_may_mean_two_is_refused_with_both(text):
    (problem,) = read("850", text).problems
    assert problem.startswith(f"{text!r} in line 3 may mean 1")
    assert "1200" in problem
    assert "1.2" in problem


def test_two_decimal_marks_in_a_column_are_refused_with_both_places():
    assert read("1,5", "7", "2.5").problems == (
        "'2.5' in line 4 and '1,5' in line 2 have different decimal marks: write all in one way, such as 1234.5",
    )


@pytest.mark.parametrize(
    "text",
    ["1,20,0", "12.34.5", "1 2", "1.2.3,4", "--5", "(-5)", "$5$", "12k", "1. Feb", "good", "NaN", "inf", "1e999",
     "0x1F", "1_000", "½", "٣", "1,234,5", "$ -", "TRUE", "1,200 300"],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_its_line(text):
    (problem,) = read("1", text).problems
    assert problem == f"not a plain number such as 1234.5 in line 3 ({text!r})"


def test_an_error_of_a_spreadsheet_is_no_number_and_no_unknown():
    for text in ("#REF!", "#DIV/0!", "#WERT!", "#NAME?", "#VALEUR!", "#¡DIV/0!", "Err:502"):
        (problem,) = read("1", text).problems
        assert problem == (f"an error of the spreadsheet in line 3 ({text!r}): mend its formula, or empty the cell")


def test_a_number_that_its_column_was_too_narrow_for_is_called_so():
    (problem,) = read("1", "########").problems
    assert problem.endswith(
        "in line 3 ('########'): make its column wide enough in the office program, and save it again"
    )


def test_a_per_cent_sign_is_for_shares_alone_and_for_all_of_a_column():
    assert values("81.2%", "79 %", "0", unit=SHARE) == [81.2, 79, 0]
    assert values("81,2%", f"1{NBSP}%", unit=SHARE) == [81.2, 1]
    assert read("5%", unit="count").problems == (
        "'5%' in line 2 has a per cent sign, but the unit is count: write the number without it",
    )
    assert read("81%", "0.8", unit=SHARE).problems == (
        "'81%' in line 2 has a per cent sign, '0.8' in line 3 has none: give it to all or to none",
    )


def test_an_amount_of_money_is_none_of_another_unit():
    (problem,) = read("$5", unit="days").problems
    assert problem == "'$5' in line 2 is an amount of money, but the unit is days"


def test_a_dash_and_none_are_not_known_and_that_is_said():
    found = read("-", "5", "None", "null")
    assert found.values.to_list() == [None, 5, None, None]
    assert found.notes == ("'-' in lines 2, 4 is read as not known; write 0 where zero is meant",)


def test_numbers_of_a_spreadsheets_own_cells_stay_and_say_nothing_of_the_texts():
    texts = pl.Series("x", ["1.5", "1,200", "81.2%"])
    typed = pl.Series("x", [1.5, None, 81.2])
    found = numbers(texts, Places(pl.Series([2, 3, 4]), "row"), SHARE, typed)
    assert found.problems[0].startswith("'1,200' in row 3 may mean 1200 or 1.2")


# --- laws ------------------------------------------------------------------------------------------------------

GROUPS = {".": ("", ",", " ", NBSP, NARROW, "'", "’"), ",": ("", ".", " ", NBSP, NARROW, "'", "’")}
AMOUNT = st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 4))  # digits, and how many of them are decimals
LOCALE = st.sampled_from([(mark, group) for mark, groups in GROUPS.items() for group in groups])
AROUND = st.sampled_from(["{}", "${}", "{} €", "{} %", "{}%"])


def spelled(amount: tuple[int, int], locale: tuple[str, str], around: str, *, brackets: bool) -> str:
    digits, decimals = amount
    mark, group = locale
    whole, part = divmod(abs(digits), 10**decimals)
    text = f"{whole:,}".replace(",", group) + (f"{mark}{part:0{decimals}}" if decimals else "")
    text = around.format(text)
    return text if digits >= 0 else f"({text})" if brackets else f"-{text}"


@settings(max_examples=200, deadline=None)
@given(st.lists(AMOUNT, min_size=1, max_size=4), LOCALE, AROUND, st.booleans())
@example([(1200, 0)], (",", "."), "{}", False)
@example([(1200, 3)], (".", ","), "{}", False)
@example([(1200000, 3), (1200, 0)], (",", "."), "{} €", False)
def test_a_number_in_any_spelling_is_read_as_itself_or_refused_never_as_another(amounts, locale, around, brackets):
    # an amount of money has no three decimals: there `$1.200` is read as 1200
    amounts = [(digits, 2 if decimals == 3 and around in ("${}", "{} €") else decimals) for digits, decimals in amounts]
    texts = [spelled(amount, locale, around, brackets=brackets) for amount in amounts]
    found = read(*texts, unit=SHARE if "%" in around else MONEY)
    expected = [digits / 10**decimals for digits, decimals in amounts]
    assert found.problems or found.values.to_list() == expected
    # whoever writes without marks between thousands and with other than three decimals is always understood
    if locale[1] == "" and all(decimals != 3 for _, decimals in amounts):
        assert not found.problems


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=3))
@example([1.234])
@example([-999.125, 100.001])
def test_a_number_that_we_write_is_never_in_doubt(floats):
    written = unmistakable(pl.DataFrame({"x": floats})).select(pl.col("x").cast(pl.String)).to_series()
    assert values(*written.to_list()) == floats
