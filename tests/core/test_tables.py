"""Tables that people give and get: what office programs save, what is refused with its line, and the way out and in."""

import io
import zipfile
from datetime import date
from pathlib import Path
from xml.sax.saxutils import quoteattr

import polars as pl
import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accountpulse.core import tables, written_days, xlsx_cells
from accountpulse.core.errors import UsageError
from accountpulse.core.tables import GivenTable, TableRefused
from accountpulse.core.written_numbers import MONEY, NO_RESULT, SAVE_AGAIN
from office_files import AMERICAN_CSV, GERMAN_CSV, MEANT, sheet_file, workbook

KNOWN = ("account_id", "account_name", "mau", "csat_score", "arr", "as_of")
SHARES = {"csat_score": "percent", "mau": "users"}
UNITS = {"mau": "users", "csat_score": "percent", "arr": MONEY}


def read(data: bytes, name: str = "m.csv") -> GivenTable:
    return tables.read(data, name).called(KNOWN)


def told(data: bytes, name: str = "m.csv") -> str:
    with pytest.raises(TableRefused) as caught:
        read(data, name)
    return str(caught.value)


def meaning(table: GivenTable) -> tuple[list[tuple[object, ...]], tuple[str, ...]]:
    """The rows with numbers and days, and what is wrong with the numbers."""
    numbers = tables.numbers_in(table, UNITS)
    texts = tables.texts_in(table, ["account_id", "account_name"]).frame
    frame = texts.hstack(numbers.frame).with_columns(as_of=written_days.days(table.frame["as_of"]))
    return frame.rows(), numbers.problems


# --- what office programs save ---------------------------------------------------------------------------------

OFFICE = {
    "german.csv": GERMAN_CSV.encode("cp1252"),
    "german-utf8.csv": ("\ufeff" + GERMAN_CSV).encode(),
    "german-unicode.csv": ("\ufeff" + GERMAN_CSV.replace("Straße; AG", "Straße: AG").replace(";", "\t")).encode(
        "utf-16-le"
    ),
    "american.csv": AMERICAN_CSV.encode("cp1252"),
    "american-utf8.csv": ("\ufeff" + AMERICAN_CSV).encode(),
    "american-mac.csv": AMERICAN_CSV.replace("\r\n", "\r").encode(),
    "german.xlsx": workbook(money='#,##0.00 "€"', day="dd.mm.yyyy", total="Summe"),
    "american.xlsx": workbook(money="$#,##0.00_);($#,##0.00)", day="m/d/yyyy", total="Total:"),
}


@pytest.mark.parametrize("name", OFFICE)
def test_what_a_german_and_an_american_office_program_save_means_the_same(name):
    table = read(OFFICE[name], name)
    rows, problems = meaning(table)
    assert problems == ()
    assert [(row[0], *row[2:]) for row in rows] == [(row[0], *row[2:]) for row in MEANT]
    assert [row[1].replace(":", ";") for row in rows] == [row[1] for row in MEANT]
    above = "Customer health" if "xlsx" in name or "american" in name else "Kundengesundheit"
    assert table.notes[0].startswith(f"{name}: the heading is {table.word} 3; {table.word} 1 above it ({above}")
    assert f"{name}: {table.word} 9 sums up the others; it is not read" in table.notes
    assert f"{name}: read 'Account ID' as account_id, 'Account Name' as account_name, 'MAU' as mau" in table.notes[-1]
    assert table.frame[tables.LINE].to_list() == [4, 5, 7, 8]
    assert any("Windows-1252" in note for note in table.notes) == (name in ("german.csv", "american.csv"))
    assert ("read the sheet 'Q4'" in "".join(table.notes)) == name.endswith(".xlsx")


SAVED = Path(__file__).parents[1] / "saved_tables"  # by LibreOffice 7.4, set up for Germany and for America


@pytest.mark.parametrize("name", ["german.csv", "german.xlsx", "american.csv", "american.xlsx"])
def test_a_table_that_an_office_program_saved_means_the_same_in_every_country_and_kind(name):
    table = read((SAVED / name).read_bytes(), name)
    rows, problems = meaning(table)
    day = date(2026, 10, 31)
    assert problems == ()
    assert rows == [
        ("001Hu00000000G8IAI", "Müller & Söhne GmbH", 1200, 81.25, 120_000.5, day),
        ("000042", "Straße; AG", 12.5, 0, -3400, day),
        ("123456789012345678", "=1+1", None, None, None, day),
        ("000007", "Ørsted", 2400, 100, 1_200_005, day),
    ]
    told = "\n".join(table.notes)
    assert f"the heading is {table.word} 3" in told
    assert f"{table.word} 7: the heading again; it is not read" in told
    assert f"{table.word} 10 sums up the others" in told
    if name.endswith("xlsx"):
        assert "2 rows are hidden (8, 9)" in told
        assert "hidden columns are read like the others: Segment" in told


def test_a_workbook_in_the_strict_form_of_the_standard_is_read_as_the_usual_one():
    strict = io.BytesIO()
    with zipfile.ZipFile(SAVED / "german.xlsx") as usual, zipfile.ZipFile(strict, "w") as made:
        for part in usual.namelist():
            text = usual.read(part).replace(b"http://schemas.openxmlformats.org", b"http://purl.oclc.org/ooxml")
            # days are texts there
            made.writestr(part, text.replace(b't="n"><v>46326<', b't="d"><v>2026-10-31T00:00:00.000<'))
    table = read(strict.getvalue(), "german.xlsx")
    assert meaning(table) == meaning(read((SAVED / "german.xlsx").read_bytes(), "german.xlsx"))
    assert table.frame["as_of"][0] == "2026-10-31T00:00:00.000"


def test_a_line_that_names_the_separator_is_none_of_the_table():
    table = read(b"sep=;\naccount_id;mau\nA;1\n")
    assert (table.notes, table.frame.rows()) == ((), [(3, "A", "1")])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "the file is empty"),
        (b"account_id,mau,mau\nA,1,2\n", "column 'mau' is given twice"),
        (b"account_id,MAU,mau\nA,1,2\n", "columns 'MAU' and 'mau' are both mau: leave one out"),
        (b"account_id,mau\nA,1\nTotal,1\nB,2\n", "line 3: a total in the midst of the table"),
        (b"account_id,mau\nA,1\n\nSource: the CRM,\n", "line 4 holds nothing but 'Source: the CRM'"),
        (b"account_id,mau\nA,1\nTotal (1 account),1\n", "line 3 ('Total (1 account)'): delete it if it sums up"),
        (b"account_id,mau\nA,1\nEMEA Ergebnis,1\n", "line 3 ('EMEA Ergebnis'): delete it if it sums up"),
        (b"account_id,mau\nA,1\n1 account,1\n", "line 3 ('1 account'): delete it if it sums up"),
        (b"account_id,mau\nA,1\n1.200 Kunden,1\n", "line 3 ('1.200 Kunden'): delete it"),
        (b"account_id,mau\nA,1\nSubtotal EMEA,1\nB,2\n", "line 3 ('Subtotal EMEA'): a subtotal; delete it, else"),
        (b"account_id,mau\nA,1\nZwischensumme Nord,1\n", "line 3 ('Zwischensumme Nord'): a subtotal; delete it"),
        (b"account_id,mau\nA,1\nAccount_ID,dau\nA,3\n", "line 3: headings again, and others than above"),
        (b"PK\x03\x04\0", "it is an office program's file and no CSV"),
        (b'account_id,mau\nA,"1\nB,2\n', "line 2: not a CSV row"),
        (b'account_id,mau\nA,"x\nB,"2"\n', "line 2: not a CSV row"),
        (b"account_id,mau,\nA,12,5\n", "column 3 has no heading, and may hold decimals of 'mau': put numbers such as"),
        (b"account_id,mau\nA,1,2\n", "line 2 has 3 cells, the heading 2; a comma inside a value needs quotes"),
        (b"account_id,mau\nA,\x81\n", "line 2 is not UTF-8: save the table as CSV UTF-8"),
        (b"account_id,mau\nA,1\0\n", "bytes that no text has"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_its_line(data, text):
    assert text in told(data)


def test_cells_without_a_heading_are_told_and_empty_ones_are_not():
    assert read(b"account_id,,\nA,,x\n").notes == ("m.csv: column 3 has no heading; it is not read",)
    assert read(b"account_id,mau,,\nA,1,,,,\n").columns == ["account_id", "mau"]


def test_a_customer_whose_name_begins_like_a_total_is_an_account():
    table = read(b"account_id,mau\nTotal 24,1\nTotal Energies SE,2\n3 Rows Ltd,1\nSubtotalis AG,1\n")
    assert table.frame["account_id"].to_list() == ["Total 24", "Total Energies SE", "3 Rows Ltd", "Subtotalis AG"]
    assert table.notes == ("m.csv: line 2 ('Total 24'): read as an account; delete a total",)


def test_a_table_without_its_key_is_refused_with_what_was_taken_for_its_heading():
    for data, text in (
        (b"Report\nKonto;mau\nA;5\n", "its headings, in line 2, are 'Konto', 'mau': give the column that is meant"),
        (b"account_id|mau\nA|5\n", "line 1 has one cell: commas, semicolons or tabs separate cells"),
    ):
        with pytest.raises(TableRefused, match="there is no column account_id") as caught:
            tables.refuse_without(read(data), ("account_id",))
        assert text in str(caught.value)


def test_a_text_that_an_export_wraps_for_spreadsheets_is_that_text():
    data = b'account_id,mau\n="00123",5\n"=""00124""",6\n\'="00125",7\n'
    assert read(data).frame["account_id"].to_list() == ["00123", "00124", '="00125"']


def test_what_is_not_seen_around_a_key_is_no_part_of_it():
    table = read("\u200baccount_id,mau\n\u00a0A1\u200b \ufeff,1\n".encode())
    assert tables.texts_in(table, ["account_id"]).frame["account_id"].to_list() == ["A1"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("~$m.xlsx", "an office program leaves this file while the table is open there: name the table itself"),
        (".~lock.m.xlsx#", "name the table itself"),
        ("m.xls", "write .csv, .xlsx or .parquet; an office program saves any table as .xlsx"),
    ],
)
def test_files_beside_a_table_and_those_of_other_programs_are_called_so(name, text):
    assert text in told(b"", name)


def test_shares_that_may_be_meant_as_per_cent_are_told():
    table = read(b"account_id,csat_score,mau\nA,0.812,0.5\nB,1,0.5\n")
    assert tables.numbers_in(table, SHARES).notes == (
        "m.csv: csat_score: no value is above 1, so 0.812 is read as 0.812 %; write 81.2 or 81.2% for 81.2 %",
    )
    for sure in (b"A,81.2,0.5\nB,0.5,1", b"A,0.5%,1\nB,0.7%,1", b"A,0,1\nB,1,1"):
        assert tables.numbers_in(read(b"account_id,csat_score,mau\n" + sure), SHARES).notes == ()


def test_ids_that_a_spreadsheet_shortened_are_refused_and_errors_are_no_names():
    table = read(b"account_id,account_name\n1.23457E+14,x\nB,#N/A\nC,#REF!\n")
    found = tables.texts_in(table, ["account_id", "account_name"])
    assert found.frame["account_name"].to_list() == ["x", None, "#REF!"]
    assert found.problems == (
        "account_name: an error of the spreadsheet in line 4 ('#REF!'): mend its formula, or empty the cell",
        "account_id: '1.23457E+14' in line 2 is what a spreadsheet made of a long number; make the column text",
    )


# --- what an .xlsx may hold ------------------------------------------------------------------------------------


def saved(*rows: list[object], sheets: tuple[str, ...] = ("S",)) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        for name in sheets:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return target.getvalue()


def test_of_two_sheets_with_a_table_neither_is_guessed():
    data = saved(["account_id", "mau"], ["A", 1], sheets=("Oct", "Nov"))
    assert told(data, "m.xlsx") == (
        "m.xlsx: the sheets 'Oct', 'Nov' all have such a table: save the one that is meant as a file of its own"
    )


def test_numbers_dates_truths_and_ids_of_cells_are_what_people_see():
    rows = (
        '<row r="2"><c r="A2" s="1"><v>7</v></c><c r="B2" s="2"><v>0.5</v></c><c r="C2" t="b"><v>1</v></c></row>'
        '<row r="5" hidden="1"><c r="A5"><v>123456789012345678</v></c><c r="B5" s="3"><v>46326</v></c>'
        '<c r="C5"><f>1+1</f></c></row><row><c><v>1001</v></c><c s="4"><v>46326.5</v></c></row>'
    )
    codes = "".join(f'<numFmt numFmtId="{n}" formatCode="{c}"/>' for n, c in ((164, "0000"), (165, "[$-407]d. mmm")))
    styles = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 164, 9, 165, 22))
    data = sheet_file(
        rows, **{"xl/styles.xml": f"<styleSheet><numFmts>{codes}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>"}
    )
    table = read(data, "m.xlsx")
    assert [tuple(cells.values()) for _, cells in table.rows()] == [
        ("0007", "50%", "TRUE"),
        ("1.23456789012346E+17", "2026-10-31", "(a formula without its result)"),
        ("1001", "2026-10-31 12:00:00", ""),
    ]
    assert table.frame[tables.LINE].to_list() == [2, 5, 6]
    assert table.notes == ("m.xlsx: 1 row is hidden (5); hidden rows are read like the others",)
    assert tables.numbers_in(table, {"mau": "users"}).problems == (
        "mau: not a plain number such as 1234.5 in rows 5, 6 ('2026-10-31')",
        "mau: '50%' in row 2 has a per cent sign, but the unit is users: write the number without it",
    )
    assert tables.numbers_in(table, {"csat_score": "percent"}).problems[:2] == (
        f"csat_score: an error of the spreadsheet in row 5 ({NO_RESULT!r}): {SAVE_AGAIN}",
        "csat_score: not a plain number such as 1234.5 in row 2 ('TRUE')",
    )


FORMATS = {  # of built-in and usual formats of money, by what stands beside the number
    '#,##0.00\\ [$€-407]': "€", '_-* #,##0.00\\ "€"_-': "€", '_("$"* #,##0.00_)': "$", "$#,##0.00;[Red]-$#,##0.00": "$",
    '_ "CHF"\\ * #,##0.00_ ': "CHF", "#,##0.00\\ [$R$-416]": "R$", '0.0 "h"': "", "[$-409]#,##0": "", "#,##0": "",
}  # fmt: skip


def money(*codes: str) -> bytes:
    rows = "".join(f'<row><c t="str"><v>A{n}</v></c><c s="{n}"><v>5</v></c></row>' for n in range(len(codes)))
    listed = "".join(f"<numFmt numFmtId='{200 + n}' formatCode={quoteattr(code)}/>" for n, code in enumerate(codes))
    styles = "".join(f'<xf numFmtId="{200 + n}"/>' for n in range(len(codes)))
    sheet = f"<styleSheet><numFmts>{listed}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>"
    return sheet_file(rows, **{"xl/styles.xml": sheet})


def test_the_currency_that_a_cell_shows_is_read():
    found = read(money(*FORMATS), "m.xlsx").frame["mau"].to_list()
    assert found == [f"5 {symbol}".strip() for symbol in FORMATS.values()]
    (problem,) = tables.numbers_in(read(money("[$€-407] 0", "$0", "0"), "m.xlsx"), {"mau": MONEY}).problems
    assert problem == "mau: there are amounts in € and in $: give all in one currency"
    same = tables.numbers_in(read(money("[$€-407] 0", "[$EUR] 0", "0"), "m.xlsx"), {"mau": MONEY})
    assert (same.problems, same.frame["mau"].to_list()) == ((), [5, 5, 5])


def test_a_formula_that_no_program_has_worked_out_yet_is_no_zero():
    rows = '<row><c t="str"><v>A</v></c><c><f>B1*2</f><v>0</v></c><c><v>0</v></c></row>'
    waits = read(sheet_file(rows, after='<calcPr fullCalcOnLoad="1"/>'), "m.xlsx")
    assert waits.frame.row(0)[2:] == ("(a formula without its result)", "0")
    assert read(sheet_file(rows), "m.xlsx").frame.row(0)[2:] == ("0", "0")


def test_days_may_be_counted_from_1904():
    data = sheet_file(
        '<row><c><v>1</v></c><c s="1"><v>44864</v></c></row>',
        **{"xl/styles.xml": '<styleSheet><cellXfs><xf/><xf numFmtId="14"/></cellXfs></styleSheet>'},
        properties='<workbookPr date1904="1"/>',
    )
    assert read(data, "m.xlsx").frame["mau"].to_list() == ["2026-10-31"]


def test_cells_to_the_right_of_the_heading_are_told():
    table = read(saved(["account_id", "mau"], ["A", 1, "", "see below"]), "m.xlsx")
    assert table.notes == ("m.xlsx: cells to the right of the heading are not read (row 2)",)
    assert table.columns == ["account_id", "mau"]


def test_merged_cells_in_the_table_are_refused_with_their_place():
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["account_id", "mau"])
        sheet.write_row(1, 0, ["A", 1])
        sheet.write_row(2, 0, ["B"])
        sheet.merge_range("B2:B3", 1)
    assert told(target.getvalue(), "m.xlsx") == "m.xlsx: cells are merged (B2:B3): split them, and fill each"


OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # OLE 2, which files with a password are wrapped in, too


def archive(*parts: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for part in parts:
            made.writestr(part, "x")
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "the file is empty"),
        (b"account_id,mau\nA,1\n", "it is no .xlsx file: save the table as .xlsx or as CSV UTF-8"),
        (OLD + b"W\0o\0r\0k\0b\0o\0o\0k\0", "it is an .xls file"),
        (OLD + "EncryptedPackage".encode("utf-16-le"), "it has a password: save it without one"),
        (archive("xl/workbook.bin"), "it is an .xlsb file: save the table as .xlsx"),
        (archive("mimetype", "content.xml"), "it is an OpenDocument file (.ods): save the table as .xlsx"),
        (saved(), "the file is empty"),
        (saved(["account_id", "mau"], ["A", 1])[:-40], "it is no .xlsx file"),
        (sheet_file('<row><c t="s"><v>9</v></c></row>'), "it is damaged"),
        (sheet_file("<row><c><v>x</v></c></row>"), "it is damaged"),
        (sheet_file("<row>"), "it is damaged"),
        (sheet_file("", **{"xl/sharedStrings.xml": '<!DOCTYPE a [<!ENTITY b "b">]><sst><si><t>&b;</t></si></sst>',
                           "xl/worksheets/sheet1.xml": '<x><row><c t="s"><v>0</v></c></row></x>'}), "it is damaged"),
        (sheet_file("<row>" + "<c><v>1</v></c>" * 100_001 + "</row>"), "it is damaged"),
    ],
    ids=range(13),
)  # fmt: skip
def test_what_is_no_workbook_is_refused(data, text):
    assert text in told(data, "m.xlsx")


def test_a_file_that_unpacks_to_more_than_it_may_is_refused_before_it_is_unpacked():
    data = sheet_file("", **{"xl/media/image1.png": "0" * 3_000_000})
    assert len(data) < 10_000
    assert xlsx_cells.Workbook(data).sheets == {"S": "xl/worksheets/sheet1.xml"}
    with pytest.raises(xlsx_cells.NoWorkbook, match="it unpacks to more than 2 MiB: save the table as CSV"):
        xlsx_cells.Workbook(data, most=2 << 20)


# --- days ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2026-10-31", "2026-11-01 00:00:00", None], [date(2026, 10, 31), date(2026, 11, 1), None]),
        (["1.2.2026", "31.10.2026"], [date(2026, 2, 1), date(2026, 10, 31)]),
        (["10/31/2026", "1/2/2026"], [date(2026, 10, 31), date(2026, 1, 2)]),
        (["31/10/2026", "1/2/2026"], [date(2026, 10, 31), date(2026, 2, 1)]),
        (["10/1/2026", "1/2/2026"], [None, None]),
        (["10/31/2026", "31/10/2026"], [None, None]),
        (["31.10.2026", "2026-10-31"], [None, date(2026, 10, 31)]),
        (["31.2.2026", "1.1.26"], [None, None]),
        (["31.2.2026"], [None]),
        (["٣.٣.٢٠٢٦"], [None]),
        ([None], [None]),
    ],
)
def test_a_day_is_read_where_its_column_leaves_no_doubt(texts, expected):
    assert written_days.days(pl.Series("d", texts, dtype=pl.String)).to_list() == expected


# --- out and in again ------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)
HOSTILE = st.text(st.sampled_from("'=+-@ \t,;\"\n＝a1e.\u00a0_x0041"), max_size=7)
ROW = st.tuples(
    st.none() | TEXT | HOSTILE,
    st.none() | st.floats(-1e300, 1e300),
    st.none() | st.integers(-(2**53), 2**53),
    st.none() | st.dates(date(1990, 1, 1)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=4))
@example([("=1+1", 1.234, 1000, date(2026, 10, 31)), ("_x0041_", -0.1, None, None), ("\x01", 1e300, 7, None)])
@example([("'-5", 1.234, 10**15, None)])
def test_what_is_written_is_read_back_as_it_was(rows):
    ids = [f"A{number}" for number in range(len(rows))]
    frame = (
        pl.DataFrame(rows, ("text", "score", "count", "day"), orient="row")
        .cast({"text": pl.String, "score": pl.Float64, "count": pl.Int64, "day": pl.Date})
        .insert_column(0, pl.Series("account_id", ids))
    )
    stripped = frame["text"].str.strip_chars().replace("", None).to_list()
    for name in ("o.csv", "o.xlsx", "o.parquet"):
        back = tables.read(tables.write(frame, name), name)
        numbers = tables.numbers_in(back, {"score": "points", "count": "count"})
        assert numbers.problems == ()
        assert back.frame["account_id"].to_list() == ids
        if name == "o.parquet":
            assert back.frame.drop(tables.LINE).equals(frame)
            continue
        assert back.frame["text"].to_list() == stripped, name
        assert written_days.days(back.frame["day"].cast(pl.String)).to_list() == frame["day"].to_list()
        assert numbers.frame["count"].to_list() == frame["count"].to_list()
        exact = frame["score"].to_list()
        # the .xlsx format's writer keeps 16 digits, one less than a float needs
        wanted = (
            exact if name == "o.csv" else [None if each is None else pytest.approx(each, rel=1e-15) for each in exact]
        )
        assert numbers.frame["score"].to_list() == wanted


def test_an_independent_reader_finds_in_our_xlsx_what_was_written():
    frame = pl.DataFrame(
        {
            "account_id": ["001", "002"],
            "account_name": ["=1+1", "Ä"],
            "score": [81.25, None],
            "day": [date(2026, 10, 31)] * 2,
            "drivers": [["mau", "dau"], []],
        }
    )
    look = tables.TableLook(decimals={"score": 1}, colours={"account_name": {"Ä": "#D9EAD3"}}, wide=("drivers",))
    found = pl.read_excel(io.BytesIO(tables.write(frame, "o.xlsx", look)), infer_schema_length=None)
    assert found.rows() == [
        ("001", "=1+1", 81.25, date(2026, 10, 31), "mau; dau"),
        ("002", "Ä", None, date(2026, 10, 31), None),
    ]


def test_a_csv_for_people_is_rounded_and_parquet_never_is():
    frame = pl.DataFrame({"account_id": ["A"], "score": [81.256]})
    look = tables.TableLook(decimals={"score": 2})
    assert tables.write(frame, "o.csv", look) == b"account_id,score\nA,81.26\n"
    assert tables.write(frame, "o.csv") == b"account_id,score\nA,81.2560\n"
    assert pl.read_parquet(io.BytesIO(tables.write(frame, "o.parquet", look)))["score"].to_list() == [81.256]


def test_more_rows_than_a_sheet_has_are_refused():
    frame = pl.DataFrame({"account_id": pl.repeat("A", 1_048_576, eager=True)})
    with pytest.raises(UsageError, match=r"write \.csv or \.parquet"):
        tables.write(frame, "o.xlsx")
