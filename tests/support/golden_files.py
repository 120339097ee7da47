"""Expected texts in tests/golden/; what came instead is written to tests/actual/, ready to be looked at and copied."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parents[1]


def assert_golden(name: str, actual: str) -> None:
    """`actual` is the text of tests/golden/`name`."""
    golden = _HERE / "golden" / name
    expected = golden.read_text(encoding="utf-8") if golden.exists() else ""
    if actual != expected:
        (_HERE / "actual").mkdir(exist_ok=True)
        (_HERE / "actual" / name).write_text(actual, encoding="utf-8")
    assert actual == expected, f"tests/golden/{name} differs from tests/actual/{name}"
