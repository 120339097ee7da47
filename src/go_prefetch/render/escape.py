"""Untrusted text in Markdown: module paths, URLs, folders, server and Go output. It stays text.

Backslashes are not enough. GitHub and GitLab look for @names, #numbers, :emoji: and addresses in the text that Markdown
has already produced. They do not change code, so untrusted text becomes code.
"""

from __future__ import annotations

import re

# The parts of a sentence: code in backticks and words, each with the punctuation after it.
_PIECE = re.compile(r"`(?P<code>[^`]+)`(?P<behind>[.,:;)]*)(?=\s|$)|(?P<word>\S+?)(?P<end>[.,:;)]*)(?=\s|$)")
# A word without a meaning in Markdown, HTML, and for those who look for names, numbers and addresses afterwards.
_PLAIN_WORD = re.compile(
    r"['(]?[A-Za-z0-9]+(?:['./-][A-Za-z0-9]+)*'?|[-+=·→&–]|\(?[-+]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?%?",  # noqa: RUF001
    re.ASCII,
)
_ADDRESS_OR_COMMIT = re.compile(r"(?i)www\.|\(?(?:[0-9a-f]{7,}|gh-[0-9]+)\b")
# GitHub and GitLab know no code between more than 80 backticks, and end a block of more than 255 at 255. The text, or
# what follows, would be Markdown.
_MANY_TICKS, _MOST_TICKS = re.compile("`{21,}"), "`" * 20
_LONGEST_LINE = 1_000
_MOST_LINES, _MOST_CHARACTERS = 60, 10_000


def code(text: str) -> str:
    """Return `text` as code for a line or a cell of a table: one line without markup."""
    line = _few_ticks(_one_line(text))
    if not line:
        return ""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    # A table is split at each `|` first, also inside code. `\|` does not split it.
    return f"{ticks}{pad}{line}{pad}{ticks}"


def cell(markdown: str) -> str:
    """Escape the result of `code` or `prose` for a cell of a table."""
    return markdown.replace("|", "\\|")


def prose(text: str) -> str:
    """Return a sentence that may quote untrusted text: words that could have a meaning become code."""
    return " ".join(map(_piece, _PIECE.finditer(_one_line(text))))


def fenced(text: str) -> str:
    """Return the lines of `text` in a code block. A very long text is cut."""
    lines = [_few_ticks("".join(map(_visible, line.expandtabs(4))).rstrip()) for line in text.splitlines()]
    shown = "\n".join(lines[:_MOST_LINES])[:_MOST_CHARACTERS]
    if len(shown) < len("\n".join(lines)):
        shown += "\n…"
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{ticks}text\n{shown}\n{ticks}"


def _piece(match: re.Match[str]) -> str:
    if match["code"]:
        return code(match["code"]) + match["behind"]
    word, end = match["word"], match["end"]
    is_plain = _PLAIN_WORD.fullmatch(word) and not _ADDRESS_OR_COMMIT.match(word + end)
    return (word if is_plain else code(word)) + end


def _one_line(text: str) -> str:
    line = "".join(map(_visible, " ".join(text.split())))
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def _few_ticks(line: str) -> str:
    return _MANY_TICKS.sub(f"{_MOST_TICKS}…", line)


def _visible(character: str) -> str:
    """Return `text` without characters that hide, or change the direction of the text."""
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
