"""A Report as JSON: as in its snapshots, and as docs/report.schema.json promises."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from syrupy.assertion import SnapshotAssertion

from go_prefetch.config.inputs import TABLE
from go_prefetch.errors import notice
from go_prefetch.model.report import Report
from go_prefetch.render.json_report import document
from go_prefetch.render.messages import as_warning
from go_prefetch.render.outputs import outputs
from tests.support.fakes.reports import REPORTS
from tests.support.snapshots import JsonFile

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def _document(report: Report) -> Any:
    return json.loads(document(report, str))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_what_the_schema_promises(name: str) -> None:
    VALIDATOR.validate(_document(REPORTS[name]))


@pytest.mark.parametrize("name", ["miss", "partial", "failed"])
def test_json(snapshot: SnapshotAssertion, name: str) -> None:
    assert document(REPORTS[name], str) == snapshot(extension_class=JsonFile)


def test_the_schema_knows_every_output_and_every_input() -> None:
    properties = SCHEMA["properties"]
    assert list(properties["outputs"]["properties"]) == list(outputs(REPORTS["miss"]))
    assert list(properties["settings"]["anyOf"][1]["properties"]) == [row.name for row in TABLE]


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for part in schema for found in _objects(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if isinstance(schema.get("properties"), dict) else []
    return own + [found for part in schema.values() for found in _objects(part)]


def test_the_schema_is_strict() -> None:
    """A field that is dropped, added or renamed does not slip through."""
    for found in _objects(SCHEMA):
        assert found["additionalProperties"] is False
        assert found["required"] == list(found["properties"])


def test_every_text_is_cleaned_and_no_name() -> None:
    """The platform's `clean` takes secrets out of whatever is written elsewhere."""
    shouted = json.loads(document(REPORTS["partial"], str.upper))
    assert shouted["restore"]["store"] == REPORTS["partial"].restored.store.upper()
    assert shouted["warnings"] == [as_warning(warning).upper() for warning in REPORTS["partial"].warnings]
    assert shouted["complete"]["rejected"][0]["words"].startswith("VERIFYING")
    assert shouted.keys() == _document(REPORTS["partial"]).keys()


def test_what_is_not_text_can_be_written_all_the_same() -> None:
    """A folder whose name is not UTF-8 comes out of the environment with lone surrogates."""
    changed = notice("go-sum-changed", name="/tmp/\udcff é", path="go.sum")
    odd = dataclasses.replace(REPORTS["miss"], notes=(changed,))
    assert _document(odd)["warnings"][0].startswith("Go changed /tmp/? é.")
    document(odd, str).encode()


def test_no_password_is_shown() -> None:
    assert "hunter2" not in document(REPORTS["miss"], str)
