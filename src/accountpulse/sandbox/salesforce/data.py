"""Reading the sandbox's org over REST: describe, query and its pages, single records."""

import re
from dataclasses import dataclass
from typing import Any

from accountpulse.sandbox.salesforce.soql.evaluator import Found, attributes, run
from accountpulse.sandbox.salesforce.soql.schema import Schema
from accountpulse.sandbox.salesforce.soql.values import IDS, NUMBERS, TEXTS, as_json
from accountpulse.sandbox.world.model import FieldDef, SObject

SYSTEM_FIELDS = {"Id", "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp"}
SMALLEST_PAGE = 200  # batchSize is at least 200; SOAP API Developer Guide, "QueryOptions"

_SOAP_TYPES = {"boolean": "xsd:boolean", "date": "xsd:date", "datetime": "xsd:dateTime", "id": "tns:ID"}


@dataclass
class ApiError(Exception):
    """An answer that is no success, as the REST API writes it."""

    status: int
    code: str
    message: str

    def body(self) -> list[dict[str, str]]:
        """Errors are a list, also when there is one."""
        return [{"message": self.message, "errorCode": self.code}]


def not_found() -> ApiError:
    """The path leads nowhere."""
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


class Reader:
    """Answers what reads. `root` is always the path before `/sobjects` or `/query`: `/services/data/v66.0`."""

    def __init__(self, schema: Schema) -> None:
        """No query has been sent yet."""
        self._schema = schema
        self._cursors: dict[str, Found] = {}

    # --- describe ---

    def describe_all(self, root: str) -> dict[str, Any]:
        """Every object, without its fields."""
        shown = [head(sobject, root) for sobject in self._schema.sobjects()]
        return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown}

    def describe(self, root: str, name: str) -> dict[str, Any]:
        """One object with the fields that the user may read; 404 where there is none."""
        sobject = self.sobject(name)
        fields = [_described(field) for field in self._schema.fields(sobject)]
        children = [
            {"relationshipName": name, "childSObject": child.name, "field": field.name, "cascadeDelete": False}
            for name, child, field in self._schema.children(sobject)
        ]
        return {**head(sobject, root), "fields": fields, "childRelationships": children, "recordTypeInfos": []}

    def sobject(self, name: str) -> SObject:
        """The object type, whatever the case of the name; 404 where there is none."""
        for sobject in self._schema.sobjects():
            if sobject.name.lower() == name.lower():
                return sobject
        raise not_found()

    # --- rows ---

    def record(self, root: str, name: str, identifier: str) -> dict[str, Any]:
        """One record with all its fields; 404 for an unknown id, ENTITY_IS_DELETED for one in the bin."""
        sobject = self.sobject(name)
        for row in self._schema.rows(sobject, with_deleted=True):
            if row["Id"][:15] == identifier[:15]:
                if row.get("IsDeleted"):
                    raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
                shown = {field.name: as_json(field, row.get(field.name)) for field in self._schema.fields(sobject)}
                return {"attributes": attributes(sobject, row, root), **shown}
        raise not_found()

    def query(self, root: str, text: str, size: int, *, with_deleted: bool) -> dict[str, Any]:
        """The first page of a query; a locator for the rest is handed out where there is more."""
        found = run(text, self._schema, with_deleted=with_deleted)
        if found.count_only:
            return {"totalSize": len(found.rows), "done": True, "records": []}
        if found.results is not None:
            return {"totalSize": len(found.results), "done": True, "records": found.results}
        locator = f"01gHu{len(self._cursors):010d}AAA"
        if len(found.rows) > size:
            self._cursors[locator] = found
        return _page(found, root, locator, 0, size)

    def more(self, root: str, locator: str, size: int) -> dict[str, Any]:
        """A later page, by `<locator>-<offset>`; INVALID_QUERY_LOCATOR for what was never handed out."""
        key, _, offset = locator.partition("-")
        found = self._cursors.get(key)
        if found is None or not offset.isdigit() or int(offset) >= len(found.rows):
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return _page(found, root, key, int(offset), size)


def page_size(options: str, largest: int) -> int:
    """The page that a `Sforce-Query-Options` header asks for, within Salesforce's bounds and the org's."""
    match = re.search(r"batchSize\s*=\s*(\d+)", options)
    return min(largest, max(SMALLEST_PAGE, int(match[1]))) if match else largest


def _page(found: Found, root: str, locator: str, offset: int, size: int) -> dict[str, Any]:
    end = offset + size
    done = end >= len(found.rows)
    records = [found.record(row, root) for row in found.rows[offset:end]]
    page: dict[str, Any] = {"totalSize": len(found.rows), "done": done}
    if not done:
        page["nextRecordsUrl"] = f"{root}/query/{locator}-{end}"
    return {**page, "records": records}


def head(sobject: SObject, root: str) -> dict[str, Any]:
    """An object without its fields."""
    writable = any(field.writable for field in sobject.fields.values())
    address = f"{root}/sobjects/{sobject.name}"
    return {
        "name": sobject.name,
        "label": sobject.label,
        "labelPlural": sobject.label,
        "keyPrefix": sobject.key_prefix,
        "custom": sobject.name.endswith("__c"),
        "queryable": True,
        "retrieveable": True,
        "createable": writable,
        "updateable": writable,
        "deletable": False,
        "urls": {"sobject": address, "describe": f"{address}/describe", "rowTemplate": f"{address}/{{ID}}"},
    }


def _described(field: FieldDef) -> dict[str, Any]:
    number = field.type in NUMBERS
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "soapType": "xsd:double" if number else _SOAP_TYPES.get(field.type, "xsd:string"),
        "length": field.length,
        "byteLength": field.length * 3,
        "precision": field.precision if number else 0,
        "scale": field.scale if number else 0,
        "custom": field.name.endswith("__c"),
        "createable": field.writable,
        "updateable": field.writable,
        "nillable": not field.required and field.type != "boolean",
        "defaultedOnCreate": field.type == "boolean" or field.name in SYSTEM_FIELDS,
        "permissionable": not field.required and field.name not in SYSTEM_FIELDS,
        "externalId": field.external_id,
        "unique": field.unique,
        "idLookup": field.external_id or field.type in ("id", "email"),
        "caseSensitive": False,
        "calculated": False,
        "autoNumber": False,
        "filterable": field.filterable,
        "sortable": field.filterable,
        "groupable": field.filterable and field.type in TEXTS | IDS | {"date", "boolean"},
        "aggregatable": field.filterable and field.type != "boolean",
        "referenceTo": [field.reference_to] if field.reference_to else [],
        "relationshipName": field.relationship,
        "restrictedPicklist": field.restricted,
        "picklistValues": [
            {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}
            for value in field.values
        ],
    }
