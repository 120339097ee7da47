"""Foreign text in Markdown: module paths, URLs, folders, what servers and Go say. It stays text.

Backslashes are not enough: GitHub and GitLab look for @names, #numbers, :emoji: and addresses in the text that has
come out of Markdown already. They leave code alone, so foreign words become code.
"""

from __future__ import annotations

import re

# What a sentence is made of: code in backticks and words, each with the punctuation behind it.
_PIECE = re.compile(r"`(?P<code>[^`]+)`(?P<behind>[.,:;)]*)(?=\s|$)|(?P<word>\S+?)(?P<end>[.,:;)]*)(?=\s|$)")
# A word that means nothing to Markdown, HTML and those who look for names, numbers and addresses afterwards.
_PLAIN_WORD = re.compile(
    r"['(]?[A-Za-z0-9]+(?:['./-][A-Za-z0-9]+)*'?|[-+=·→&–]|\(?[-+]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?%?",  # noqa: RUF001
    re.ASCII,
)
_ADDRESS_OR_COMMIT = re.compile(r"(?i)www\.|\(?(?:[0-9a-f]{7,}|gh-[0-9]+)\b")
_LONGEST_LINE = 1_000
_MOST_LINES, _MOST_CHARACTERS = 60, 10_000


def code(text: str) -> str:
    """`text` as code in a line or a cell of a table: one line, and nothing in it is markup."""
    line = _one_line(text)
    if not line:
        return ""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    # A table is split at each `|` before anything else is looked at; `\|` does not split it, in code either.
    return f"{ticks}{pad}{line}{pad}{ticks}"


def cell(markdown: str) -> str:
    """What `code` or `prose` made, fit for a cell of a table."""
    return markdown.replace("|", "\\|")


def prose(text: str) -> str:
    """A sentence of ours that may quote others: words that could mean something become code, the others stay."""
    return " ".join(map(_piece, _PIECE.finditer(_one_line(text))))


def fenced(text: str) -> str:
    """`text` line by line in a block of code; far too much of it is cut."""
    lines = ["".join(map(_visible, line.expandtabs(4))).rstrip() for line in text.splitlines()]
    shown = "\n".join(lines[:_MOST_LINES])[:_MOST_CHARACTERS]
    if len(shown) < len("\n".join(lines)):
        shown += "\n…"
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{ticks}text\n{shown}\n{ticks}"


def _piece(match: re.Match[str]) -> str:
    if match["code"]:
        return code(match["code"]) + match["behind"]
    return (match["word"] if _is_plain(match["word"]) else code(match["word"])) + match["end"]


def _is_plain(word: str) -> bool:
    return bool(_PLAIN_WORD.fullmatch(word)) and not _ADDRESS_OR_COMMIT.match(word)


def _one_line(text: str) -> str:
    line = "".join(map(_visible, " ".join(text.split())))
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def _visible(character: str) -> str:
    """Nothing that hides, or turns the direction of what follows."""
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
