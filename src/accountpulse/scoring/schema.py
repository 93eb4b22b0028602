"""The JSON Schema of scorecard files, for editors: generated from the model, shipped beside the packaged scorecard."""

import json
from importlib import resources

from accountpulse.scoring.model import ScorecardFile

SHIPPED = "scorecard.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def generated() -> str:
    """The schema as the model has it; what needs two places of a file to see, only `scorecard check` finds."""
    schema = {"$schema": DIALECT, **ScorecardFile.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def shipped() -> str:
    """The file that comes with the package."""
    return (resources.files("accountpulse.scoring") / SHIPPED).read_text(encoding="utf-8")
