"""Fail if a text has a word of the stop list: words that a reader would have to learn, or that have a plain name.

python tools/plain_words.py            search the source, documents and descriptions
python tools/plain_words.py PATH...    search these files and folders
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = (
    "src", "docs", "examples", "templates", "action.yml",
    "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md",
)  # fmt: skip
SUFFIXES = {".hcl", ".json", ".md", ".py", ".yaml", ".yml"}

# A stop word and what to write instead. A blank also matches the line break in a paragraph or comment.
STOP_LIST = {
    r"whoever": "anyone who",
    r"nobody": "no user, no server, no test",
    r"anew": "again",
    r"heed\w*": "read, follow",
    r"had by": "took from, read from",
    r"(?:is|are|was|were|be|been) told": "gets, is given, reads",
    r"could not be had": "could not be downloaded, read or started",
    r"by (?:itself|themselves)": "alone, or nothing",
    r"what bends": "name the mistake",
    r"for ever": "without end",
    r"in vain": "without success",
    r"as ever": "as before",
    r"slip(?:s|ped)?": "mistake",
    r"beside": "next to, compared with, in addition to",
    r"of ours": "of go-prefetch",
}
# Terms that contain a stop word and have no other name.
ALLOWED = (
    r"zip slip",
    r"(?:user )?`nobody`",
    r"goproxy-asks-nobody",  # a finding of doctor; its name is part of the interface
)

_GAP = r"(?:\s|\n\s*[#>*]+\s*)+"
_STOP = re.compile(
    "|".join(rf"(?P<w{number}>\b{word.replace(' ', _GAP)}\b)" for number, word in enumerate(STOP_LIST)), re.IGNORECASE
)
_ALLOWED = re.compile("|".join(ALLOWED), re.IGNORECASE)


def problems(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the words and the advice of each stop word in a text."""
    text = _ALLOWED.sub(lambda match: "_" * len(match[0]), text)
    advice = list(STOP_LIST.values())
    for match in _STOP.finditer(text):
        number = int(str(match.lastgroup)[1:])
        yield text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), advice[number]


def files(places: list[Path]) -> Iterator[Path]:
    """Yield the text files below these places."""
    for place in places:
        yield from [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.suffix in SUFFIXES)


def main(arguments: list[str]) -> int:
    """Print each stop word; return the exit status."""
    found = 0
    for path in files([Path(argument) for argument in arguments] or [ROOT / place for place in PLACES]):
        for line, words, advice in problems(path.read_text(encoding="utf-8")):
            print(f"{path}:{line}: {words!r}: write instead: {advice}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
