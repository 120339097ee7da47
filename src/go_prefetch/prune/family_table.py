"""The table of an Inventory, for people: cells for Markdown, lines for a terminal."""

from __future__ import annotations

from go_prefetch.base.format import size
from go_prefetch.prune.families import Inventory

HEADINGS = ("size", "share", "entries", "idle days", "default branch", "family")


def family_cells(inventory: Inventory) -> list[tuple[str, ...]]:
    """Return a row of cells for each family, under HEADINGS, and one for all of them."""
    rows = [
        (
            size(family.bytes),
            f"{family.bytes / (inventory.bytes or 1):.0%}",
            str(family.entries),
            str(family.idle_days),
            "yes" if family.on_default_branch else "no",
            family.name,
        )
        for family in inventory.families
    ]
    return [*rows, (size(inventory.bytes), "", str(inventory.entries), "", "", f"all of {inventory.repository}")]


def family_lines(inventory: Inventory) -> list[str]:
    """Return the table as lines. Its last column is aligned to the left, the others are numbers or short words."""
    rows = [HEADINGS, *family_cells(inventory)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS) - 1)]
    return [
        "  ".join([*(text.rjust(width) for text, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
