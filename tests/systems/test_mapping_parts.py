"""The fields that a mapping names, with what each may mean: one walk through all of its parts."""

import msgspec

from accountpulse.systems.mapping_parts import ApiName, DateName, FieldOf, MappingBlock, MoneyName, Unless, fields_named


class Way(MappingBlock):
    source: str = "a"
    date: DateName = "Due__c"
    plain: ApiName = "Undeclared__c"


class Block(MappingBlock):
    arr: MoneyName | None = "ARR__c"
    none: MoneyName | None = None
    ways: tuple[Way, ...] = (Way(), Way(date="End__c"))
    by_name: dict[str, Way] = msgspec.field(default_factory=lambda: {"first": Way()})
    part: Unless[Way] = None


def test_every_field_with_a_declared_kind_is_found_by_the_path_of_its_key() -> None:
    assert list(fields_named(Block())) == [
        FieldOf("arr", "ARR__c", ("money", "number")),
        FieldOf("ways.0.date", "Due__c", ("date",)),
        FieldOf("ways.1.date", "End__c", ("date",)),
        FieldOf("by_name.first.date", "Due__c", ("date",)),
    ]


def test_a_part_that_may_be_left_out_is_walked_where_it_is_there() -> None:
    assert FieldOf("part.date", "End__c", ("date",)) in set(fields_named(Block(part=Way(date="End__c"))))
