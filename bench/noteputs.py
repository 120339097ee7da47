"""Run go-prefetch and note what it has put into a bucket, as JSON: the bytes of each object, and whether it was taken.

python bench/noteputs.py FILE run --store s3://BUCKET/go

A refused object counts with all its bytes: the client sends them before it has the answer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import obstore

from go_prefetch.__main__ import main


def noting(notes: list[tuple[str, int, bool]], put: Any) -> Any:
    """Return obstore's `put`, which adds name, bytes and success to the notes."""

    def noted(store: Any, name: str, content: Any, **options: Any) -> Any:
        size = len(content) if isinstance(content, bytes) else content.seek(0, 2)
        if not isinstance(content, bytes):
            content.seek(0)
        try:
            answer = put(store, name, content, **options)
        except obstore.exceptions.BaseError:
            notes.append((name, size, False))
            raise
        notes.append((name, size, True))
        return answer

    return noted


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    puts: list[tuple[str, int, bool]] = []
    obstore.put = noting(puts, obstore.put)
    try:
        main()
    finally:
        file.write_text(json.dumps(puts))
