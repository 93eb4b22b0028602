"""What rows are called that sum up the others, in the languages of our users' offices."""

TOTALS = (
    "total", "totals", "grand total", "sum", "subtotal", "average", "mean", "summe", "gesamt", "gesamtsumme",
    "gesamtergebnis", "ergebnis", "zwischensumme", "durchschnitt", "mittelwert", "total général", "somme", "totale",
    "totaal", "suma",
)  # fmt: skip
AROUND = " :"  # may stand around the word


def is_total(text: str) -> bool:
    """Whether a cell calls its row a total."""
    return text.lower().strip(AROUND) in TOTALS
