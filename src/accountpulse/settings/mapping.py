"""accountpulse.yaml: what holds for a whole run, and the blocks that the systems declare, with their defaults."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args
from zoneinfo import ZoneInfo

import msgspec

from accountpulse.core.nearest import nearest
from accountpulse.core.records import TABLE, SourceName
from accountpulse.core.yaml_structs import After, Chosen
from accountpulse.settings.digest import DigestBlock
from accountpulse.systems import SOURCES, SYSTEMS
from accountpulse.systems.mapping_parts import AgeDays, MappingBlock, OwnMetricName


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone, such as UTC or Europe/Berlin") from None
    return name


def _currency(code: str) -> str:
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise ValueError(f"{code!r} is not a currency's ISO code, such as USD or EUR")
    return code


Days = Annotated[int, msgspec.Meta(ge=1, le=730)]


class LinksBlock(MappingBlock, frozen=True):
    """A file of links for what no rule knows, and whether it or the rules come first: see [linking.md](linking.md).

    `file` lies beside this one; without it links.csv is read, if it is there.
    """

    file: str | None = None  # a CSV in the format of `accountpulse accounts --suggest`, or of `--out`
    first: Literal["file", "rules"] = "file"


HOLDS = ("id", *(source.name for source in SOURCES if not source.has_accounts), "name")


def _holds(word: str) -> str:
    if word not in HOLDS:
        raise ValueError(f"must be one of {', '.join(HOLDS)}{nearest(word, HOLDS)}")
    return word


class OwnTable(MappingBlock, frozen=True):
    """A number for each account from a table that you keep: a file beside this one, or an object of `s3://`.

    `from`: `.csv`, `.xlsx` or `.parquet`. `account` names the column of the accounts, and `holds` says what stands in
    it: `id` (the Salesforce id, of 15 or 18 characters), the name of a system (the account's key there, as it is
    linked), or `name` (the account's name; one that two accounts have is nobody's). `value` names the column of the
    number (the metric's own name, where it isn't given), `dated` the one of the day from which it is. Of several rows
    of an account the newest counts; one that is dated after the month doesn't. A value that is older than
    `max_age_days` on the month's last day is `stale`.
    """

    source: str
    account: str = "account_id"
    holds: Annotated[str, After(_holds)] = "id"
    value: str | None = None
    dated: str | None = None
    max_age_days: AgeDays | None = None

    def __post_init__(self) -> None:
        if self.max_age_days is not None and self.dated is None:
            raise ValueError("max_age_days needs `dated`, the column of the day from which a value is")


_FORMS = {TABLE: (OwnTable, ("from",))} | {
    name: (system.own_metric.form, system.own_metric.keys) for name, system in SYSTEMS.items() if system.own_metric
}


def _form(value: object) -> Any:
    """The form of an own metric, by the key that only one has."""
    named = value if isinstance(value, dict) else {}
    fitting = [form for form, keys in _FORMS.values() if set(keys) & set(named)]
    if len(fitting) != 1:
        keys = ", ".join(f"`{keys[0]}`" for _form, keys in _FORMS.values())
        raise ValueError(f"must say where it comes from by one of the keys {keys}")
    return fitting[0]


OwnMetricOrigin: Any = Annotated[Union[tuple(form for form, _ in _FORMS.values())], Chosen(_form)]  # noqa: UP007


def _origin(metric: Any) -> str:
    """Where an own metric comes from: a system, or TABLE."""
    types = {name: {form, *_members(form)} for name, (form, _keys) in _FORMS.items()}
    return next(name for name, forms in types.items() if type(metric) in forms)


def _members(form: Any) -> Iterator[Any]:
    """The types inside a type."""
    for part in get_args(form):
        yield part
        yield from _members(part)


class RunMapping(MappingBlock, frozen=True):
    """What holds for a whole run."""

    timezone: Annotated[str, After(_zone)] = "UTC"
    window: Days | Literal["period"] = 90
    currency: Annotated[str, After(_currency)] | None = None  # ISO code of the corporate currency, shown with amounts
    scorecard: str | None = None  # a file beside this one; null: the packaged scorecard

    @property
    def window_days(self) -> int | None:
        """How many days support and bugs are measured over; None: those of the month itself."""
        return None if self.window == "period" else self.window

    def block(self, name: str) -> Any:
        """A block by its name, as the system that declares it wants it."""
        return getattr(self, name)

    @property
    def own_tables(self) -> Mapping[str, OwnTable]:
        """The own metrics that come from tables."""
        return {name: each for name, each in self._at_top.items() if isinstance(each, OwnTable)}

    def own_metrics(self, system: SourceName) -> Mapping[str, Any]:
        """The own metrics that a system is asked for at the top of the file; those of its own block stand there."""
        return {name: each for name, each in self._at_top.items() if _origin(each) == system}

    @property
    def fed(self) -> Mapping[str, str]:
        """Every own metric that a run has, and where it comes from: a system, or TABLE."""
        return {name: system for system, name in self._in_blocks()} | {
            name: _origin(each) for name, each in self._at_top.items()
        }

    @property
    def max_age_days(self) -> Mapping[str, int]:
        """How old own metrics may be, where it is said."""
        ages = {name: getattr(each, "max_age_days", None) for name, each in self._at_top.items()}
        return {name: age for name, age in ages.items() if age is not None}

    @property
    def _at_top(self) -> Mapping[str, Any]:
        return getattr(self, "metrics", {})

    def _in_blocks(self) -> Iterator[tuple[SourceName, str]]:
        for name, system in SYSTEMS.items():
            if system.own_metric is not None:
                yield from ((name, metric) for metric in system.own_metric.in_block(self.block(name)))

    def __post_init__(self) -> None:
        """An own metric has one origin."""
        if twice := [f"{system}.metrics.{name}" for system, name in self._in_blocks() if name in self._at_top]:
            raise ValueError(f"{', '.join(twice)}: stands under metrics: at the top as well; leave one of them")


def _fields() -> Mapping[str, tuple[Any, Any]]:
    """The blocks below the run's own keys: those beside a system's own block come first."""
    beside = {name: block for system in SYSTEMS.values() for name, block in system.blocks.items()}
    own = {name: (system.mapping, system.mapping()) for name, system in SYSTEMS.items()}
    ours = {
        "links": (LinksBlock, LinksBlock()),
        "digest": (DigestBlock, DigestBlock()),
        "metrics": (dict[OwnMetricName, OwnMetricOrigin], msgspec.field(default_factory=dict)),
    }
    _refuse_clashes([*dir(RunMapping), *ours, *(block for each in SYSTEMS.values() for block in each.blocks), *own])
    return {**beside, **ours, **own}


def _refuse_clashes(names: Sequence[str]) -> None:
    """A name that stands for two things in accountpulse.yaml is a mistake of whoever registers a system."""
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise TypeError(f"systems/: {', '.join(twice)} would be two things in accountpulse.yaml; choose another name")


_BLOCKS = [(name, kind, default) for name, (kind, default) in _fields().items()]
_MODEL: Any = msgspec.defstruct("AccountpulseYaml", _BLOCKS, bases=(RunMapping,), module=__name__, frozen=True)
AccountpulseYaml: type[RunMapping] = _MODEL
