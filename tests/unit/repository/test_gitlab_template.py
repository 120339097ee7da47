"""The GitLab template as text: where its inputs may stand. That it works is for tests/cli/test_gitlab_pipelines.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[3] / "templates" / "go-prefetch.yml").read_text()
SPEC, _, BODY = TEXT.partition("\n---\n")
INPUTS = dict(re.findall(r"^    ([a-z0-9-]+):\n((?:      .*\n)+)", SPEC + "\n", re.MULTILINE))
USES = [(line, name) for line in BODY.splitlines() for name in re.findall(r"\$\[\[ inputs\.([a-z0-9-]+) \]\]", line)]
CLOSED = ("options:", "type: boolean", "type: number")


def test_every_input_is_described_and_used() -> None:
    """An input that does nothing is a promise."""
    assert len(INPUTS) > 20
    assert {name for _, name in USES} == set(INPUTS)
    assert [name for name, rows in INPUTS.items() if "description: " not in rows or "default: " not in rows] == []


def is_closed(name: str) -> bool:
    return any(word in INPUTS[name] for word in CLOSED)


@pytest.mark.parametrize("name", [name for name in INPUTS if not is_closed(name) and "type: array" not in INPUTS[name]])
def test_free_text_stands_in_quotes_that_it_cannot_leave(name: str) -> None:
    """Its pattern has neither a quote nor a backslash, and it never stands outside of double quotes."""
    (pattern,) = re.findall(r"regex: (.*)", INPUTS[name])
    for bad in ('a"b', "a\\b"):
        assert not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), bad)
    for line, used in USES:
        if used == name:
            assert re.search(rf'"[^"]*\$\[\[ inputs\.{name} \]\][^"]*"', line), line


def test_values_that_stand_alone_keep_their_type() -> None:
    """Unquoted are booleans and lists only: GitLab checks those."""
    for line, name in USES:
        if re.search(rf": \$\[\[ inputs\.{name} \]\]$", line):
            assert "type: boolean" in INPUTS[name] or "type: array" in INPUTS[name], line


def test_no_input_stands_in_a_script() -> None:
    """A shell sees inputs as variables only, each time in quotes."""
    scripts = re.findall(r"^  (?:before_)?script:.*\n((?:    .*\n|\n)+)", BODY, re.MULTILINE)
    assert len(scripts) == 4
    for script in scripts:
        assert "inputs." not in script
        bare = re.sub(r"\"[^\"\n]*\"|'[^'\n]*'", "", script)
        assert re.findall(r"(?<![=\w])\$\{?GO_PREFETCH_\w+", re.sub(r"case .* in|<<'PYTHON'", "", bare)) == []
