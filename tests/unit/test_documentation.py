"""What the documents promise is what the source has."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def slugs_in_source() -> set[str]:
    """The first argument of every error that is raised, and names printed in brackets."""
    raised = re.compile(r"(?<!Attempt)(?:Error|NotFound|Unavailable|Mismatch)\(\s*\"([a-z]+(?:-[a-z]+)*)\"")
    printed = re.compile(r"\[([a-z]+(?:-[a-z]+)+)\]\"")
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    return {slug for text in texts for pattern in (raised, printed) for slug in pattern.findall(text)}


def test_every_error_has_its_paragraph_and_every_paragraph_its_error() -> None:
    """docs/errors.md has one heading for each slug, and none for a slug that is gone."""
    headings = set(re.findall(r"^### (\S+)$", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(headings) > 20
    assert headings == slugs_in_source()


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """Relative links name files of the repository."""
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
