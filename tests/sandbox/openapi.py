"""A vendor's OpenAPI 3.0 file as a judge of single exchanges."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import yaml
from jsonschema.exceptions import best_match

from accountpulse.sandbox.server import Exchange

BESIDE = [folder / "shared" / "specs" for folder in Path(__file__).parents]
SPECS = next((folder for folder in BESIDE if folder.is_dir()), BESIDE[0])
VERBS = {"get", "post", "put", "patch", "delete"}


class Vendor:
    """The operations of one file; `prefix` is what the sandbox puts before the vendor's paths."""

    def __init__(self, document: dict[str, Any], prefix: str) -> None:
        self.document = document
        self.prefix = prefix
        self.judged: set[str] = set()
        schemas = {"components": {"schemas": document["components"]["schemas"]}}
        self.components = as_json_schema(schemas)["components"]
        self.paths = [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"), path) for path in document["paths"]]

    def mistakes(self, exchange: Exchange) -> list[str]:
        """What is wrong with a request and its answer, by the vendor's own words."""
        operation = self.operation(exchange)
        if operation is None:
            return [f"{exchange.method} {exchange.path} is not in the vendor's file"]
        return [*self._request(exchange, operation), *self._answer(exchange, operation)]

    def operation(self, exchange: Exchange) -> dict[str, Any] | None:
        path = unquote(exchange.path.removeprefix(self.prefix))
        matching = [template for pattern, template in self.paths if pattern.match(path)]
        for template in sorted(matching, key=lambda each: each.count("{")):
            item = self.document["paths"][template]
            if exchange.method.lower() in item:
                self.judged.add(f"{exchange.method} {template}")
                found = dict(item[exchange.method.lower()])
                found["parameters"] = [
                    self._resolved(each) for each in [*item.get("parameters", []), *found.get("parameters", [])]
                ]
                return found
        return None

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def _request(self, exchange: Exchange, operation: dict[str, Any]) -> list[str]:
        known = {each["name"]: each for each in operation["parameters"] if each["in"] == "query"}
        wrong = [f"unknown query parameter {name}" for name in exchange.query if name not in known]
        wrong += [
            f"query parameter {name} is required"
            for name, each in known.items()
            if each.get("required") and name not in exchange.query
        ]
        content = self._resolved(operation.get("requestBody", {})).get("content", {})
        if exchange.headers.get("content-type", "").startswith("application/json") and exchange.body:
            if "application/json" not in content:
                return [*wrong, "no JSON body is expected"]
            wrong += self._against(content["application/json"]["schema"], json.loads(exchange.body), "request")
        return wrong

    def _answer(self, exchange: Exchange, operation: dict[str, Any]) -> list[str]:
        answers = operation["responses"]
        if str(exchange.status) not in answers:
            return [f"status {exchange.status} is not in the vendor's file"] if exchange.status < 400 else []
        content = self._resolved(answers[str(exchange.status)]).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return [] if schema is None else self._against(schema, json.loads(exchange.answer), "answer")

    def _against(self, schema: dict[str, Any], value: Any, what: str) -> list[str]:
        whole = {**as_json_schema(schema), "components": self.components}
        errors = jsonschema.Draft202012Validator(whole).iter_errors(value)
        inner = [best_match([error]) or error for error in errors]
        return [f"{what} {re.sub('[0-9]+', 'N', each.json_path)}: {shortened(each.message)}" for each in inner]


def shortened(message: str) -> str:
    """A message without the middle of the value that it quotes."""
    return message if len(message) <= 160 else f"{message[:80]} … {message[-60:]}"


def as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0's dialect in JSON Schema's words: `nullable`, and nothing else is needed here."""
    if isinstance(node, list):
        return [as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    done = {key: as_json_schema(value) for key, value in node.items() if key not in {"nullable", "example", "examples"}}
    done = {key: node[key] if key == "enum" else value for key, value in done.items()}
    if node.get("nullable") is True:
        return {"anyOf": [done, {"type": "null"}]}
    return done


@cache
def vendor(file: str, prefix: str) -> Vendor:
    """A vendor's file, read once."""
    text = (SPECS / file).read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Vendor(json.loads(text) if file.endswith("json") else yaml.load(text, loader), prefix)  # noqa: S506
