"""Invented names of companies; the first ones are hard on purpose: quotes, commas, formulas, other scripts."""

from random import Random

HARD = (
    "O'Brien & Sons",
    'The "Quoted" Company',
    "Comma, Semicolon; Ltd",
    '=HYPERLINK("http://127.0.0.1/x")',
    "50% Off_Shore",
    "Ærøskøbing Søfart",
    "株式会社サンプル",
    "🚀 Rocket Labs GmbH",
    "Back\\slash Industries",
    "@at sign AG",
    "' OR Id != ''",
    "شركة المثال",
)
_FIRST = (
    "Alder", "Birch", "Cedar", "Delta", "Ember", "Falcon", "Garnet", "Harbor", "Indigo", "Juniper", "Kestrel", "Lumen",
    "Maple", "Nimbus", "Onyx", "Pioneer",
)  # fmt: skip
_SECOND = (
    "Freight", "Analytics", "Health", "Robotics", "Foods", "Energy", "Media", "Textiles", "Logistics", "Insurance",
    "Travel", "Optics", "Paper",
)  # fmt: skip
_THIRD = ["Inc", "GmbH", "Ltd", "SA", "AB", "BV", "Oy", "LLC"]


def company_names(count: int, rng: Random) -> list[str]:
    """So many names, each once."""
    names = list(HARD[:count])
    seen = set(names)
    while len(names) < count:
        name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(_THIRD)}"
        if name in seen:
            name = f"{name} {len(names)}"
        seen.add(name)
        names.append(name)
    return names
