"""What docs/docker.md shows is what the command would let pass, and what the command knows is in docs/docker.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from go_prefetch.docker.context import Context
from go_prefetch.docker.dockerignore import Ignore
from go_prefetch.docker.rules import FINDINGS, check
from tests.support.documented import DOCKER, dockerfiles

DOCS = DOCKER.parent
TEXT = DOCKER.read_text(encoding="utf-8")
DOCKERFILES = dockerfiles()
NOWHERE = Context(Path("/nonexistent"), Path("/nonexistent/.dockerignore"), Ignore())


@pytest.mark.parametrize("text", DOCKERFILES)
def test_nothing_is_found_in_what_we_recommend(text: str) -> None:
    """No Dockerfile of ours has a finding."""
    assert check(text, NOWHERE) == ()


def test_every_finding_is_documented() -> None:
    """The table names each finding, and none that is gone."""
    table = TEXT[TEXT.index("| name | found |") : TEXT.index("The check is about")]
    named = set(
        re.findall(r"`([a-z]+(?:-[a-z]+)+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:] if row))
    )
    assert named == set(FINDINGS)
    assert len(DOCKERFILES) == 2


def test_every_link_leads_somewhere() -> None:
    """Relative links name files beside the document."""
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []
