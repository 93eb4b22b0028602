"""What rows are called that sum up the others, in the languages of our users' offices."""

import re

TOTALS = (
    "total", "totals", "grand total", "overall", "sum", "subtotal", "average", "avg", "mean", "median", "count",
    "summe", "gesamt", "gesamtsumme", "gesamtergebnis", "ergebnis", "zwischensumme", "durchschnitt", "mittelwert",
    "anzahl", "total général", "sous-total", "somme", "moyenne", "totale", "totaal", "gemiddelde", "total general",
    "suma", "promedio", "razem", "celkem", "summa", "yhteensä", "i alt", "toplam", "итого", "合計", "总计",
)  # fmt: skip
AROUND = " :"  # may stand around the word
_WORDS = "|".join(map(re.escape, TOTALS))
# `Total (4 accounts)`, `Gesamt 2026`, `EMEA Total`: most likely a total, yet a customer may be called so
LIKE_TOTAL = (
    rf"(?i)^(?:{_WORDS})[ :]*[0-9(\[].*$|^(?:{_WORDS})[ :]+(?:of|all|arr|accounts?|customers?|kunden|der|aller)\b.*$"
    r"|^.* (?:total|subtotal|average|ergebnis|gesamt|summe)[ :]*$"
    r"|^[0-9]+(?:[ .,'][0-9]{3})* (?:accounts?|customers?|clients?|companies|rows?|records?|kunden|konten|zeilen)$"
)
# `Subtotal EMEA`, `Zwischensumme Nord`: no customer is called so
SUBTOTAL = (
    r"(?i)^(?:sub-? ?totals?|sous-total|zwischensumme|teilsumme|zwischenergebnis|subtotale|subtotaal|mezisoučet|"
    r"delsumma|välisumma|ara toplam|小計|小计)[ :].*[^ :].*$"
)


def is_total(text: str) -> bool:
    """Whether a cell calls its row a total."""
    return text.lower().strip(AROUND) in TOTALS
