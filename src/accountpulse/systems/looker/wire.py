"""What Looker's metadata calls answer, as far as it is read: names of fields, and never a value of theirs.

https://cloud.google.com/looker/docs/reference/looker-api/latest
"""

import msgspec

# https://cloud.google.com/looker/docs/reference/looker-api/latest/types/LookmlModelExploreField
FIELD = "name,type,view,dimension_group,can_filter,convert_tz,value_format,value_format_name,error"
GROUPS = ("dimensions", "measures", "filters", "parameters")
EXPLORE = (
    f"view_name,fields({','.join(f'{group}({FIELD})' for group in GROUPS)}),"
    "always_filter,conditionally_filter,access_filters,has_timezone_support"
)
LOOK = (
    "deleted,query(model,view,fields,pivots,dynamic_fields,has_table_calculations,filters,filter_expression,"
    "total,row_total,subtotals)"
)


class FieldAnswer(msgspec.Struct):
    """A field of an explore. `type` is LookML's, with its time frame: `date_month`, `count_distinct`."""

    name: str | None = None
    type: str | None = None
    view: str | None = None
    dimension_group: str | None = None
    can_filter: bool | None = None
    convert_tz: bool | None = None
    value_format: str | None = None
    value_format_name: str | None = None
    error: str | None = None  # what is wrong with its definition


class FieldsAnswer(msgspec.Struct):
    """The fields by what they are. Filters and parameters can't be columns."""

    dimensions: list[FieldAnswer] | None = None
    measures: list[FieldAnswer] | None = None
    filters: list[FieldAnswer] | None = None
    parameters: list[FieldAnswer] | None = None


class DefaultFilterAnswer(msgspec.Struct):
    """A filter that an explore has where a query says nothing of the field."""

    name: str | None = None
    value: str | None = None


class AccessFilterAnswer(msgspec.Struct):
    """A field that is filtered by what a user may see."""

    field: str | None = None
    user_attribute: str | None = None


class ExploreAnswer(msgspec.Struct):
    """An explore."""

    fields: FieldsAnswer
    view_name: str | None = None
    always_filter: list[DefaultFilterAnswer] | None = None
    conditionally_filter: list[DefaultFilterAnswer] | None = None
    access_filters: list[AccessFilterAnswer] | None = None
    has_timezone_support: bool | None = None


class NamedAnswer(msgspec.Struct):
    """Something with a name."""

    name: str | None = None


class ModelAnswer(msgspec.Struct):
    """A model, with the explores that our user may see."""

    explores: list[NamedAnswer]


class TokenAnswer(msgspec.Struct):
    """An answer to signing in; `expires_in` counts seconds."""

    access_token: str | None = None
    expires_in: float | None = None


class IdAnswer(msgspec.Struct):
    """Something with an id; older versions write it as a number."""

    id: str | int


class LookQueryAnswer(msgspec.Struct):
    """The query of a saved Look. `fields` don't name its table calculations (`dynamic_fields`)."""

    model: str | None = None
    view: str | None = None  # the explore
    fields: list[str] | None = None
    pivots: list[str] | None = None
    dynamic_fields: str | None = None
    has_table_calculations: bool | None = None
    filters: dict[str, str | None] | None = None
    filter_expression: str | None = None
    total: bool | None = None
    row_total: str | None = None
    subtotals: list[str] | None = None


class LookAnswer(msgspec.Struct):
    """A saved Look."""

    query: LookQueryAnswer
    deleted: bool | None = None


class AttributeAnswer(msgspec.Struct):
    """A user attribute of our user; `value` null: unset, or hidden from us."""

    name: str | None = None
    value: str | int | float | bool | None = None
