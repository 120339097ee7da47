"""Keep docs/errors.md to the error table: sections, slugs, exit statuses and hints. The paragraphs are written there.

python tools/errors_page.py            fail unless docs/errors.md has what the table has
python tools/errors_page.py --write    write it; paragraphs stay, new slugs get a place for one
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from go_prefetch.errors import TABLE, Row, Section  # noqa: E402 - it may not be installed

PAGE = ROOT / "docs" / "errors.md"

_HEAD = """\
<!-- Headings and quoted lines are written by tools/errors_page.py from src/go_prefetch/errors.py. -->

# Errors and warnings

Every message has its name in brackets, and this page has a paragraph for each name. An error ends with a link to its
paragraph and sets the exit status of its section. A warning never changes it. An interrupted run ends with 130.
"""


def page(paragraphs: Mapping[str, str]) -> str:
    """Return the page: a heading for each section, and one for each slug below it, with its paragraphs."""
    parts = [_HEAD]
    for section in Section:
        rows = {slug: row for slug, row in TABLE.items() if row.section is section}
        if rows:
            parts.append(f"## {_title(section)}\n")
            parts += [f"### {slug}\n\n{paragraphs.get(slug, '')}\n{_hint(row)}" for slug, row in rows.items()]
    return "\n".join(parts)


def paragraphs_of(text: str) -> dict[str, str]:
    """Return what a page says of each slug, without what this program writes."""
    found = {}
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        slug, _, rest = part.partition("\n")
        body = rest.partition("\n## ")[0]
        found[slug] = "\n".join(line for line in body.splitlines() if not line.startswith("> ")).strip()
    return found


def _title(section: Section) -> str:
    status = f"exit status {section.exit_status}" if section.exit_status else f"{section.severity.value}s"
    return f"{section.title} ({status})"


def _hint(row: Row) -> str:
    """Return the hint, unless it has facts in it: those are for the message alone."""
    return f"\n> {row.hint}\n" if row.hint and "{" not in row.hint else ""


def main(arguments: list[str]) -> int:
    """Compare or write; returns the exit status."""
    before = PAGE.read_text(encoding="utf-8")
    paragraphs = paragraphs_of(before)
    if arguments == ["--write"]:
        PAGE.write_text(page(paragraphs), encoding="utf-8")
    silent = [slug for slug in TABLE if not paragraphs.get(slug)]
    if silent:
        print(f"docs/errors.md says nothing of {', '.join(silent)}")
        return 1
    if PAGE.read_text(encoding="utf-8") == page(paragraphs):
        return 0
    print("docs/errors.md is not what the error table says: run python tools/errors_page.py --write")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
