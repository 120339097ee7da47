"""What the documents promise is what the source has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def test_the_page_of_errors_is_made_from_the_table() -> None:
    """docs/errors.md has a paragraph for each slug; tools/errors_page.py --write makes it."""
    made = subprocess.run(
        [sys.executable, ROOT / "tools" / "errors_page.py"], capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stdout) == (0, "")


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "bench" / "README.md"]


def links_of(document: Path) -> list[tuple[Path, str]]:
    """File and heading that each relative link of a document names; no heading is an empty one."""
    found = re.findall(r"\]\(([^)\s:]+)\)|src(?:set)?=\"([^\":]+)\"", document.read_text(encoding="utf-8"))
    parts = ((target or picture).partition("#") for target, picture in found)
    return [((document.parent / name).resolve() if name else document, heading) for name, _, heading in parts]


def headings_of(document: Path) -> set[str]:
    """The headings as links name them."""
    titles = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    """Relative links name files of the repository, and headings that are in them."""
    links = links_of(document)
    assert [str(path) for path, _ in links if not path.exists()] == []
    assert [(path.name, heading) for path, heading in links if heading and heading not in headings_of(path)] == []


def test_every_document_is_linked() -> None:
    """docs/README.md links to each document, the ADRs included; some document links to each example."""
    index = {path for path, _ in links_of(ROOT / "docs" / "README.md")}
    documents = [path for path in ROOT.glob("docs/**/*.md") if path.name != "README.md"]
    assert len(documents) > 20
    assert [str(path) for path in documents if path not in index] == []
    linked = {path for document in DOCUMENTS for path, _ in links_of(document)}
    others = [path for path in ROOT.glob("docs/**/*") if path.is_file() and path not in documents]
    assert [str(path) for path in others if path not in linked] == []


def test_documents_are_plain_markdown() -> None:
    """What only the site's generator understands would be shown as source on GitHub."""
    texts = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    found = [path.name for path, text in texts.items() if re.search(r"^\s*(```\{|:::|!!! |\{%)", text, re.MULTILINE)]
    assert found == []


def test_json_in_documents_is_json() -> None:
    """Policies and lifecycle rules are there to be pasted."""
    found = [
        block
        for document in DOCUMENTS
        for block in re.findall(r"^```json\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    ]
    assert len(found) > 5
    assert all(isinstance(json.loads(block), dict) for block in found)


def test_the_architecture_names_every_package() -> None:
    """The picture has the rows of the import contract, and names no file that is gone."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "go_prefetch"
    rows = re.search(
        r"^layers = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert rows
    drawn = [line.strip().split("  ")[0] for line in text.splitlines() if line.startswith("    ")]
    assert [row for row in re.findall(r'"(.+?)"', rows[1]) if row not in drawn] == []
    named = set(re.findall(r"`([\w/]+\.py)`", text))
    places = (package, package / "docker", ROOT)
    assert [name for name in sorted(named) if not any((place / name).exists() for place in places)] == []


def test_the_listing_shows_packages() -> None:
    """What belongs where is seen from the names of folders; each says what belongs into it."""
    package = ROOT / "src" / "go_prefetch"
    assert {path.name for path in package.iterdir() if path.is_file()} == {
        "__init__.py", "__main__.py", "errors.py", "py.typed"
    }  # fmt: skip
    folders = {path.parent for path in package.glob("*/*.py")}
    assert all((path / "__init__.py").read_text(encoding="utf-8").startswith('"""') for path in folders)


def test_contributing_names_every_session_of_nox() -> None:
    """CONTRIBUTING.md has each session and no other; the scripts of CI call only those that exist."""
    sessions = set(
        re.findall(r"^@nox\.session\ndef (\w+)", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert "lint" in sessions
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `nox -s (\w+)` \|", text, re.MULTILINE)) == sessions
    for script in ("run", "nightly"):
        calls = re.findall(r"nox -s (.+)", (ROOT / ".ci" / script).read_text(encoding="utf-8"))
        assert calls
        assert {name for call in calls for name in call.split()} <= sessions


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="the extra `lint` brings actionlint")
@pytest.mark.parametrize("page", ["bazel", "recipes"])
def test_jobs_of_recipes_pass_actionlint(page: str, tmp_path: Path) -> None:
    """Each block of YAML that begins with `jobs` is a workflow, once an event is in front of it."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(jobs:\n.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        (tmp_path / f"{number}.yml").write_text(f"on: push\n\n{block}", encoding="utf-8")
    done = subprocess.run(["actionlint", *tmp_path.glob("*.yml")], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
