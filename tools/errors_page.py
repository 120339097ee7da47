"""Make docs/errors.md from the error table.

python tools/errors_page.py            fail unless docs/errors.md is what the table says
python tools/errors_page.py --write    write it
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from go_prefetch.errors import TABLE, Row, Section  # noqa: E402 - it may not be installed

PAGE = ROOT / "docs" / "errors.md"

_HEAD = """\
<!-- Made by tools/errors_page.py from src/go_prefetch/errors.py. -->

# Errors and warnings

Every message ends with its name in brackets, and this page has a paragraph for each name. An error sets the exit
status of its section. A warning never changes it. An interrupted run ends with 130.
"""


def page() -> str:
    """Return the page: a heading for each section, and one for each slug below it."""
    parts = [_HEAD]
    for section in Section:
        rows = {slug: row for slug, row in TABLE.items() if row.section is section}
        if rows:
            parts.append(f"## {_title(section)}\n")
            parts += [f"### {slug}\n\n{_paragraphs(row)}\n" for slug, row in rows.items()]
    return "\n".join(parts)


def _title(section: Section) -> str:
    status = f"exit status {section.exit_status}" if section.exit_status else f"{section.severity.value}s"
    return f"{section.title} ({status})"


def _paragraphs(row: Row) -> str:
    """What the row means, and what to do; a hint with facts in it is for the message alone."""
    return f"{row.meaning}\n\n{row.hint}" if row.hint and "{" not in row.hint else row.meaning


def main(arguments: list[str]) -> int:
    """Compare or write; returns the exit status."""
    if arguments == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == page():
        return 0
    print("docs/errors.md is not what the error table says: run python tools/errors_page.py --write")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
