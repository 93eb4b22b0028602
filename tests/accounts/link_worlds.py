"""Invented customers as Salesforce and as another system know them, with the truth about who is who.

Two vocabularies and any seed: what was chosen on one is judged on the other. The rules are those that make linking hard
in real companies; `knowable` says whether what the two systems show is enough to tell.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

import polars as pl

from accountpulse.core.records import CUSTOMERS


@dataclass(frozen=True)
class Vocabulary:
    """Words that names are made of; `scripts` have (as written there, ways to write it in Latin letters)."""

    heads: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]  # ways to write one form
    umlauts: tuple[tuple[str, str, str], ...]  # written with it, in two letters, without
    countries: tuple[tuple[str, str], ...]  # word, top-level domain
    scripts: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]
    script_forms: tuple[tuple[str, str], ...]  # native form (%s for the name), the Latin one
    free: tuple[str, ...]


def _compose(starts: str, ends: str) -> tuple[str, ...]:
    return tuple(start + end for start in starts.split() for end in ends.split())


FIRST = Vocabulary(
    heads=_compose(
        "Alber Bren Cald Dorn Elk Farn Gold Hart Ivo Karn Lind Mor Nord Orl Pell Quin Ros Stern Tor Ul Vand Wex Yar Zem",
        "wood ika mark ston tis vane ora lex berg dyne field nova",
    ),
    trades=(
        "Logistics", "Foods", "Energy", "Software", "Media", "Paper", "Textiles", "Optics", "Travel", "Insurance", "Steel",
        "Robotics", "Pharma", "Dental", "Solar", "Print", "Marine", "Retail", "Tools", "Consulting",
    ),
    forms=(
        ("GmbH", "Gesellschaft mit beschränkter Haftung"), ("Ltd", "Limited", "Ltd."), ("Inc", "Inc.", "Incorporated"),
        ("AG", "Aktiengesellschaft"), ("S.A.", "SA"), ("B.V.", "BV"), ("LLC", "L.L.C."), ("S.r.l.", "Srl"),
        ("Sp. z o.o.", "Spółka z o.o."), ("GmbH & Co. KG", "GmbH & Co KG"), ("AB", "Aktiebolag"), ("Oy", "Oy"),
    ),
    umlauts=(
        ("Müller", "Mueller", "Muller"), ("Böhm", "Boehm", "Bohm"), ("Jäger", "Jaeger", "Jager"), ("Weiß", "Weiss", "Weiss"),
        ("Søfart", "Soefart", "Sofart"), ("Åkerlund", "Aakerlund", "Akerlund"), ("Łódka", "Lodka", "Lodka"),
        ("Çelik", "Celik", "Celik"), ("Köster", "Koester", "Koster"), ("Händler", "Haendler", "Handler"),
    ),
    countries=(("Deutschland", "de"), ("France", "fr"), ("Polska", "pl"), ("Italia", "it"), ("UK", "co.uk"), ("Iberia", "es")),
    scripts=(
        (("Северо", ("Severo",)), ("Волга", ("Volga",)), ("Хим", ("Khim", "Him")), ("Энерго", ("Energo",)),
         ("Цемент", ("Tsement", "Cement")), ("Завод", ("Zavod",)), ("Юг", ("Yug", "Iug")), ("Транс", ("Trans",)),
         ("Строй", ("Stroy", "Stroi")), ("Яр", ("Yar", "Iar")), ("Маш", ("Mash",)), ("Нефте", ("Nefte",))),
        (("Αιγαίο", ("Aigaio", "Egeo")), ("Θράκη", ("Thraki",)), ("Φάρος", ("Faros", "Pharos")), ("Κρήτη", ("Kriti",)),
         ("Ολυμπία", ("Olympia", "Olimpia")), ("Νησί", ("Nisi",)), ("Πέλαγος", ("Pelagos",)), ("Δάφνη", ("Dafni", "Daphni"))),
        (("サクラ", ("Sakura",)), ("ミナト", ("Minato",)), ("テクノ", ("Tekuno", "Techno")), ("カワ", ("Kawa",)),
         ("システム", ("Shisutemu",)), ("ヒカリ", ("Hikari",)), ("ソラ", ("Sora",)), ("マツ", ("Matsu",))),
        (("النور", ("Al Noor", "Alnour")), ("المدينة", ("Al Madina", "Almadinah")), ("الخليج", ("Al Khaleej", "Al Khalij")),
         ("السلام", ("Al Salam", "Alsalaam")), ("الفجر", ("Al Fajr",)), ("الواحة", ("Al Waha",)), ("البركة", ("Al Baraka",))),
    ),
    script_forms=(("ООО «%s»", "LLC"), ("%s Α.Ε.", "S.A."), ("株式会社%s", "Co., Ltd."), ("شركة %s", "LLC")),
    free=("gmail.com", "gmx.de", "outlook.com", "yahoo.co.uk", "web.de"),
)  # fmt: skip
SECOND = Vocabulary(
    heads=_compose(
        "Acre Blu Cove Drift Ember Fjel Glen Hallo Indi Jas Kest Lum Mist Nim Obsid Prism Quar Riv Sable Tund Umb Verd Will Zeph",
        "line rel more path dale on castle ridge crest haven light ford",
    ),
    trades=(
        "Analytics", "Health", "Aviation", "Cloud", "Biotech", "Legal", "Motors", "Wines", "Furniture", "Games", "Telecom",
        "Security", "Payments", "Farms", "Mining", "Education", "Design", "Events", "Chemicals", "Partners",
    ),
    forms=(
        ("Corp", "Corporation", "Corp."), ("PLC", "plc", "Public Limited Company"), ("Pty Ltd", "Pty. Ltd.", "Pty Limited"),
        ("SAS", "S.A.S."), ("S.p.A.", "SpA"), ("N.V.", "NV"), ("A/S", "AS"), ("d.o.o.", "doo"), ("s.r.o.", "spol. s r.o."),
        ("Pvt. Ltd.", "Private Limited"), ("S.L.", "SL", "Sociedad Limitada"), ("Kft.", "Kft"), ("ApS", "Aps"),
    ),
    umlauts=(
        ("Schröder", "Schroeder", "Schroder"), ("Grün", "Gruen", "Grun"), ("Größe", "Groesse", "Grosse"),
        ("Hæggen", "Haeggen", "Haeggen"), ("Bjørk", "Bjoerk", "Bjork"), ("Gómez", "Gomez", "Gomez"),
        ("Ångström", "Aangstroem", "Angstrom"), ("Żubr", "Zubr", "Zubr"), ("Château", "Chateau", "Chateau"),
        ("Šimek", "Simek", "Simek"), ("Dvořák", "Dvorak", "Dvorak"),
    ),
    countries=(("Nederland", "nl"), ("Sverige", "se"), ("España", "es"), ("Canada", "ca"), ("India", "in"), ("Schweiz", "ch")),
    scripts=(
        (("Дон", ("Don",)), ("Байкал", ("Baikal", "Baykal")), ("Газ", ("Gaz", "Gas")), ("Свет", ("Svet",)), ("Лес", ("Les",)),
         ("Пром", ("Prom",)), ("Ижор", ("Izhor", "Ijor")), ("Чай", ("Chay", "Tchai")), ("Авто", ("Avto",)), ("Рос", ("Ros",)),
         ("Мясо", ("Myaso", "Miaso")), ("Обувь", ("Obuv",))),
        (("Μακεδονία", ("Makedonia",)), ("Χίος", ("Chios", "Hios")), ("Ήλιος", ("Ilios",)), ("Ξένια", ("Xenia", "Ksenia")),
         ("Αθήνα", ("Athina",)), ("Βόλος", ("Volos",)), ("Γάλα", ("Gala",)), ("Ρόδος", ("Rodos",))),
        (("ハナ", ("Hana",)), ("フジ", ("Fuji",)), ("メディア", ("Media", "Medeia")), ("ツバサ", ("Tsubasa",)), ("ナミ", ("Nami",)),
         ("キタ", ("Kita",)), ("ロボ", ("Robo",)), ("ヤマ", ("Yama",))),
        (("الشرق", ("Al Sharq",)), ("النجم", ("Al Najm", "Alnajm")), ("البحر", ("Al Bahr",)), ("الوطن", ("Al Watan",)),
         ("القمر", ("Al Qamar",)), ("الرياض", ("Al Riyadh", "Alriyad")), ("الزهراء", ("Al Zahra", "Alzahraa"))),
    ),
    script_forms=(("ЗАО «%s»", "JSC"), ("%s ΕΠΕ", "Ltd"), ("%s株式会社", "K.K."), ("شركة %s", "W.L.L.")),
    free=("hotmail.com", "icloud.com", "qq.com", "orange.fr", "mail.ru", "t-online.de"),
)  # fmt: skip


@dataclass
class LinkWorld:
    """Both tables (CUSTOMERS), the true key of each account (None: it has no counterpart), and what is knowable."""

    accounts: pl.DataFrame
    candidates: pl.DataFrame
    truth: dict[str, str | None]
    knowable: set[str]
    kinds: dict[str, str]


@dataclass
class Record:
    """A customer in one system."""

    name: str
    site: str | None = None
    mail: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


class Maker:
    """Invents customers, one rule at a time."""

    def __init__(self, seed: int, words: Vocabulary) -> None:
        self.rng = Random(f"links {seed}")
        self.words = words
        self.used: set[str] = set()
        self.accounts: list[tuple[str, Record]] = []
        self.candidates: list[tuple[str, Record]] = []
        self.truth: dict[str, str | None] = {}
        self.knowable: set[str] = set()
        self.kinds: dict[str, str] = {}

    # --- parts of names

    def core(self) -> str:
        """A name that nobody has yet."""
        while True:
            head, trade = self.rng.choice(self.words.heads), self.rng.choice(self.words.trades)
            name = head if self.rng.random() < 0.25 else f"{head} {trade}"
            if len(self.used) > 3_000:  # a large world has used up the short ones
                name = f"{head} {self.syllables()} {trade}"
            if name not in self.used:
                self.used.add(name)
                return name

    def syllables(self) -> str:
        """A word that is like no other."""
        return "".join(self.rng.choice("bdfgklmnprstvz") + self.rng.choice("aeiou") for _ in range(3)).title()

    def form(self) -> tuple[str, ...]:
        return self.rng.choice(self.words.forms)

    def domain(self, name: str, ending: str | None = None) -> str:
        """As companies choose theirs: the first word, or all of them."""
        plain = "".join(letter for letter in name.lower() if letter.isascii() and (letter.isalnum() or letter == " "))
        parts = plain.split() or ["firma"]
        stem = "".join(parts) if self.rng.random() < 0.7 or len(parts) == 1 else "-".join(parts)
        ending = ending or self.rng.choice(("com", "de", "io", "co.uk", "example", "eu", "net"))
        while (found := f"{stem}.{ending}") in self.used:
            stem += self.rng.choice("hqx")
        self.used.add(found)
        return found

    def site(self, domain: str) -> str:
        return self.rng.choice(("https://www.%s/", "%s", "http://%s/en?utm=1", "www.%s", "https://%s")) % domain

    def typo(self, name: str) -> str:
        place = self.rng.randrange(1, len(name) - 1)
        while name[place] == " " or name[place + 1] in (" ", name[place]):
            place = self.rng.randrange(1, len(name) - 1)
        return self.rng.choice(
            (
                name[:place] + name[place + 1 :],
                name[:place] + name[place] + name[place:],
                name[:place] + name[place + 1] + name[place] + name[place + 2 :],
                name[:place] + self.rng.choice("bdgkmptvz") + name[place + 1 :],
            )
        )

    # --- records

    def account(self, kind: str, record: Record, candidate: Record | None, *, knowable: bool = True) -> str:
        account_id = f"001Q{len(self.accounts):011d}AAA"
        self.accounts.append((account_id, record))
        self.kinds[account_id] = kind
        self.truth[account_id] = None if candidate is None else self.candidate(candidate)
        if candidate is not None and knowable:
            self.knowable.add(account_id)
        return account_id

    def candidate(self, record: Record) -> str:
        key = f"{self.rng.getrandbits(96):024x}"
        self.candidates.append((key, record))
        return key

    def world(self) -> LinkWorld:
        self.rng.shuffle(self.candidates)
        return LinkWorld(_table(self.accounts), _table(self.candidates), self.truth, self.knowable, self.kinds)

    # --- rules

    def plain(self) -> None:
        name, form = self.core(), self.form()
        domain = self.domain(name)
        known = self.rng.random()
        self.account(
            "plain",
            Record(f"{name} {form[0]}", self.site(domain) if known < 0.9 else None),
            Record(f"{name} {form[0]}", self.site(domain) if known > 0.2 else None, [domain] if known > 0.6 else []),
        )

    def legal_form(self) -> None:
        name, form = self.core(), self.form()
        other = self.rng.choice(("", form[-1], form[-1].upper()))
        domain = self.domain(name) if self.rng.random() < 0.5 else None
        site = self.site(domain) if domain else None
        self.account("legal form", Record(f"{name} {form[0]}", site), Record(f"{name} {other}".strip(), site))

    def umlaut(self) -> None:
        one, two, three = self.rng.choice(self.words.umlauts)
        core = self.core()
        written = self.rng.sample((one, two, three), 2)
        form = self.form()[0]
        domain = self.domain(f"{three} {core}") if self.rng.random() < 0.4 else None
        site = self.site(domain) if domain else None
        self.account("umlaut", Record(f"{written[0]} {core} {form}", site), Record(f"{written[1]} {core} {form}", site))

    def script(self) -> None:
        number = self.rng.randrange(4)
        parts = self.rng.sample(self.words.scripts[number], self.rng.choice((2, 3)))
        native = ("" if number == 2 else " ").join(part for part, _ in parts)
        if (same := "".join(sorted(part for part, _ in parts))) in self.used:
            return
        self.used.add(same)
        latin = " ".join(self.rng.choice(ways) for _, ways in parts)
        pattern, form = self.words.script_forms[number]
        domain = self.domain(latin) if self.rng.random() < 0.6 else None
        site = self.site(domain) if domain else None
        two = [Record(pattern % native, site), Record(f"{latin} {form}", site)]
        self.rng.shuffle(two)
        self.account("script", two[0], two[1])

    def han(self) -> None:
        """Han characters, read in Japanese or as a translation: only a domain tells."""
        name = "".join(self.rng.choice("北京東海山川科技商事工業製作所電機") for _ in range(5))
        english = self.core()
        domain = self.domain(english)
        has_domain = self.rng.random() < 0.6
        site = self.site(domain) if has_domain else None
        self.account(
            "han", Record(f"{name}有限公司", site), Record(f"{english} Co., Ltd.", self.site(domain)), knowable=False
        )

    def order(self) -> None:
        name, form = self.core(), self.form()[0]
        words = name.split()
        other = " ".join(reversed(words)) if len(words) > 1 else f"{name[:4]} {name[4:].lower()}"
        domain = self.domain(name) if self.rng.random() < 0.4 else None
        site = self.site(domain) if domain else None
        self.account("order", Record(f"{name} {form}", site), Record(f"{other}, {form}", site))

    def typo_in_name(self) -> None:
        name, form = self.core(), self.form()[0]
        domain = self.domain(name) if self.rng.random() < 0.6 else None
        self.account(
            "typo",
            Record(f"{name} {form}", domain and self.site(domain)),
            Record(f"{self.typo(name)} {form}", None, [domain] if domain else []),
        )

    def acquired(self) -> None:
        old, new, form = self.core(), self.core(), self.form()[0]
        domain = self.domain(self.rng.choice((old, new)))
        said = self.rng.choice(("formerly", "fka", "previously known as", "vormals", "ex"))
        way = self.rng.random()
        if way < 0.6:
            self.account("acquired", Record(f"{new} {form} ({said} {old})", self.site(domain)), Record(f"{old} {form}"))
        elif way < 0.8:
            site = self.site(domain)
            self.account("acquired", Record(f"{new} {form}", site), Record(f"{old} {form}", site))
        else:
            self.account("acquired", Record(f"{new} {form}"), Record(f"{old} {form}"), knowable=False)

    def family(self) -> None:
        """A parent and its companies in other countries, on one domain or each on its own; some have no counterpart."""
        head = self.core()
        domain = self.domain(head, "com")
        shared = self.rng.random() < 0.6
        members = [("", "com"), *self.rng.sample(self.words.countries, self.rng.choice((1, 2, 3)))]
        for word, ending in members:
            own = domain if shared or not word else f"{domain.partition('.')[0]}.{ending}"
            name = f"{head} {word} {self.form()[0]}".replace("  ", " ")
            there = Record(name, self.site(own)) if self.rng.random() < 0.6 else None
            self.account("family", Record(name, self.site(own)), there)

    def holding(self) -> None:
        head, form = self.core(), self.form()[0]
        domain = self.domain(head)
        word = self.rng.choice(("Holding", "Group", "Beteiligungs", "International"))
        names = [f"{head} {form}", f"{head} {word} {form}"]
        for name, has in zip(names, self.rng.choice(((True, False), (False, True), (True, True))), strict=True):
            self.account("holding", Record(name, self.site(domain)), Record(name, self.site(domain)) if has else None)

    def parent_page(self) -> None:
        """A subsidiary of another name that shows its parent's website; only the parent is a customer there."""
        parent, name, form = self.core(), self.core(), self.form()[0]
        domain = self.domain(parent)
        self.account("parent's website", Record(f"{name} {form}", self.site(domain)), None)
        self.candidate(Record(f"{parent} {form}", self.site(domain)))

    def shared_domain(self) -> None:
        """A franchise: everybody has the same website."""
        domain = self.domain(self.core())
        for _ in range(self.rng.choice((3, 5, 15))):
            name = f"{self.core()} {self.form()[0]}"
            there = Record(name, self.site(domain)) if self.rng.random() < 0.7 else None
            self.account("shared domain", Record(name, self.site(domain)), there)

    def free_mail(self) -> None:
        name, form = self.core(), self.form()[0]
        one, two = self.rng.choice(self.words.free), self.rng.choice(self.words.free)
        there = Record(f"{name} {form}", None, [two]) if self.rng.random() < 0.7 else None
        self.account("free mail", Record(f"{name} {form}", None, [one]), there)

    def dissolved(self) -> None:
        name, form = self.core(), self.form()[0]
        domain = self.domain(name)
        gone = self.rng.choice(("%s %s i.L.", "%s %s (dissolved)", "%s %s in Liquidation", "%s %s (closed)")) % (
            name,
            form,
        )
        if self.rng.random() < 0.5:
            site = self.site(domain)
            self.account("dissolved", Record(f"{name} {form}", site), Record(gone, site))
        else:  # the old one is still there, and the account is its successor of the same name
            self.candidate(Record(gone, self.site(self.domain(f"{name} alt"))))
            self.account(
                "dissolved", Record(f"{name} {form}", self.site(domain)), Record(f"{name} {form}", None, [domain])
            )

    def external_key(self) -> None:
        name, form, key = self.core(), self.form()[0], f"C-{self.rng.randrange(10**6, 10**7)}"
        there = Record(self.rng.choice((f"{name} {form}", name, name.split(maxsplit=1)[0])), keys=[key])
        self.account("external key", Record(f"{name} {form}", keys=[key]), there)

    def short_name(self) -> None:
        trades = self.rng.choice(self.words.trades), self.rng.choice(self.words.trades)
        name = " ".join((self.rng.choice(self.words.heads), *trades))
        if name in self.used or len(set(name.split())) < 3:
            return
        self.used.add(name)
        domain = self.domain(name)
        site = self.site(domain)
        self.account("short name", Record(f"{name} {self.form()[0]}", site), Record(" ".join(name.split()[:2]), site))

    def twice(self) -> None:
        """The other system has it twice: nobody can tell which one counts."""
        name, form = self.core(), self.form()[0]
        site = self.site(self.domain(name))
        self.account("twice", Record(f"{name} {form}", site), Record(f"{name} {form}", site), knowable=False)
        self.candidate(Record(f"{name} {form}", site))

    def nobody(self) -> None:
        """No counterpart, but somebody who looks like one."""
        name, (form, *_) = self.core(), self.form()
        domain = self.domain(name)
        self.account("nobody", Record(f"{name} {form}", self.site(domain)), None)
        way = self.rng.random()
        other = self.form()[0]
        if way < 0.25:  # a namesake elsewhere
            self.candidate(Record(f"{name} {form}", self.site(self.domain(name))))
        elif way < 0.45 and other != form:  # a namesake of another legal form
            self.candidate(Record(f"{name} {other}", None))
        elif way < 0.65:  # another trade of the same first word
            self.candidate(
                Record(f"{name.split(maxsplit=1)[0]} {self.rng.choice(self.words.trades)} Works {form}", None)
            )
        elif way < 0.8:
            self.candidate(Record(f"{name} {self.rng.choice(self.words.countries)[0]} {form}", None))

    def stranger(self) -> None:
        """Somebody in the other system alone."""
        name = self.core()
        self.candidate(Record(f"{name} {self.form()[0]}", self.site(self.domain(name))))


def _table(records: list[tuple[str, Record]]) -> pl.DataFrame:
    rows = [(key, each.name, [each.site] if each.site else [], each.mail, each.keys) for key, each in records]
    return pl.DataFrame(rows, schema=dict(CUSTOMERS), orient="row")


def link_world(seed: int, words: Vocabulary, accounts: int) -> LinkWorld:
    """So many accounts, or a few more: families aren't cut."""
    maker = Maker(seed, words)
    rules: list[tuple[Callable[[], None], int]] = [
        (maker.plain, 22), (maker.legal_form, 9), (maker.umlaut, 5), (maker.script, 7), (maker.han, 1), (maker.order, 4),
        (maker.typo_in_name, 8), (maker.acquired, 5), (maker.family, 4), (maker.holding, 3), (maker.parent_page, 1),
        (maker.shared_domain, 1), (maker.free_mail, 4), (maker.dissolved, 4), (maker.external_key, 3), (maker.short_name, 3),
        (maker.twice, 2), (maker.nobody, 12), (maker.stranger, 12),
    ]  # fmt: skip
    turns = list(_turns(rules))
    while len(maker.accounts) < accounts:
        maker.rng.choice(turns)()
    return maker.world()


def _turns(rules: list[tuple[Callable[[], None], int]]) -> Iterator[Callable[[], None]]:
    for rule, share in rules:
        yield from [rule] * share
