"""Tables as office programs save them, German and American: the same six accounts, with all that people put around."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import xlsxwriter

# what the files mean: account_id, account_name, mau, csat_score, arr, as_of
MEANT = [
    ("001A", "Müller & Söhne GmbH", 1200.0, 81.25, 120_000.5, date(2026, 10, 31)),
    ("001B", "Café Zoé", 850.0, 79.5, 1_250_000.0, date(2026, 10, 31)),
    ("001C", "Ørsted", None, None, None, date(2026, 10, 31)),
    ("001D", "Straße; AG", 12.5, 0.0, -3_400.0, date(2026, 10, 31)),
]
GERMAN_CSV = (
    "Kundengesundheit Oktober 2026;;;;;\r\n"
    ";;;;;\r\n"
    "Account ID;Account Name;MAU;CSAT Score;ARR;As Of\r\n"
    "001A;Müller & Söhne GmbH;1.200;81,25%;120.000,50 €;31.10.2026\r\n"
    "001B;Café Zoé;850;79,50%;1.250.000,00 €;31.10.2026\r\n"
    ";;;;;\r\n"
    "001C;Ørsted;#NV;n/a;;31.10.2026\r\n"
    '001D;"Straße; AG";12,5;0,00%;-3.400,00 €;31.10.2026\r\n'
    "Summe;;2.062,5;;1.366.600,50 €;\r\n"
)
AMERICAN_CSV = (
    "Customer health October 2026,,,,,\r\n"
    ",,,,,\r\n"
    "Account ID,Account Name,MAU,CSAT Score,ARR,As Of\r\n"
    '001A,Müller & Söhne GmbH,"1,200",81.25%,"$120,000.50",10/31/2026\r\n'
    '001B,Café Zoé,850,79.50%,"$1,250,000.00",10/31/2026\r\n'
    ",,,,,\r\n"
    "001C,Ørsted,#N/A,n/a,,10/31/2026\r\n"
    '001D,Straße; AG,12.5,0.00%,"($3,400.00)",10/31/2026\r\n'
    'Total,,"2,062.5",,"$1,366,600.50",\r\n'
)


def workbook(*, money: str, day: str, total: str) -> bytes:
    """The same as an .xlsx: shares as 0.8125, amounts and days by their number formats."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet("Q4")
        book.add_worksheet("Notes").write(0, 0, "made by Pat")
        share, amount, shown = (book.add_format({"num_format": code}) for code in ("0.00%", money, day))
        sheet.merge_range("A1:F1", "Customer health")
        sheet.write_row(2, 0, ["Account ID", "Account Name", "MAU", "CSAT Score", "ARR", "As Of"])
        for number, (account, name, mau, csat, arr, as_of) in enumerate(MEANT, 3):
            row = number + (number > 4)  # a blank row in the midst
            sheet.write_string(row, 0, account)
            sheet.write_string(row, 1, name)
            if mau is None:
                sheet.write_formula(row, 2, "=NA()", None, "#N/A")
                sheet.write_string(row, 3, "n/a")
            else:
                sheet.write_number(row, 2, mau)
                sheet.write_number(row, 3, csat / 100, share)
                sheet.write_formula(row, 4, f"=0+{arr}", amount, arr)
            sheet.write_datetime(row, 5, datetime(as_of.year, as_of.month, as_of.day), shown)  # noqa: DTZ001
        sheet.merge_range("A9:B9", total)
        sheet.write_formula(8, 2, "=SUM(C4:C8)", None, 2062.5)
    return target.getvalue()


def sheet_file(rows: str, properties: str = "", after: str = "", **parts: str) -> bytes:
    """An .xlsx of one sheet with these rows as XML, whose heading is `account_id`, `mau`, `csat_score`; more parts."""
    heading = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("account_id", "mau", "csat_score"))
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006/relationships"
    content: dict[str, Any] = {
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{links}">{properties}<sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets>'
        f"{after}</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}"><Relationship Id="r1" '
        f'Type="{links}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData><row>{heading}</row>{rows}</sheetData></worksheet>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (content | parts).items():
            archive.writestr(name, text)
    return target.getvalue()
