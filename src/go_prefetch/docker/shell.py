"""The commands of a shell script, as far as checks of `go` commands need them: no expansion, no control flow."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

_SEPARATOR = re.compile(r"&&|\|\||[;|&\n(){}]")
_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|\$\([^()]*\)|\$\{[^{}]*\}|`[^`]*`|[^\s"'\\;|&(){}`$]|\$)+""")
_TOKEN = re.compile(rf"(?P<comment>(?<![^\s;])\#[^\n]*)|(?P<word>{_WORD.pattern})|(?P<mark>{_SEPARATOR.pattern})|\s")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_STARTERS = (
    "time", "exec", "sudo", "env", "then", "do", "else", "if", "while", "!", "command", "nice", "set", "xargs",
    "timeout",
)  # fmt: skip
_AMOUNT = re.compile(r"[0-9.]+[smhd]?")  # `timeout 5m`, `xargs -n 1`
_SHELL = re.compile(r"(?:.*/)?(?:ba|da|a|z|k)?sh", re.DOTALL)
_GO = ("go", "xx-go")


@dataclass(frozen=True)
class Command:
    """One simple command: the assignments before it, and its words without quotes."""

    words: tuple[str, ...]
    assigned: tuple[tuple[str, str], ...] = ()

    @property
    def go(self) -> tuple[str, ...]:
        """Return the words after `go`, without `-C DIR`, if this is a go command; otherwise nothing."""
        words = self.words
        if not words or words[0].rsplit("/", 1)[-1] not in _GO:
            return ()
        rest = words[1:]
        if rest[:1] == ("-C",):
            rest = rest[2:]
        elif rest[:1] and rest[0].startswith("-C="):
            rest = rest[1:]
        return rest

    @property
    def downloads(self) -> bool:
        """Return whether it fills the module cache and does nothing else."""
        return self.go[:2] in (("mod", "download"), ("mod", "vendor"))

    @property
    def builds(self) -> bool:
        """Return whether it needs the modules of the main module."""
        verb = self.go[:1]
        if verb in (("install",), ("run",)):
            return not any("@" in word for word in self.go[1:])
        return verb in (("build",), ("test",), ("vet",), ("generate",), ("list",))


def commands_in(script: str) -> Iterator[Command]:
    """Return the simple commands of `script` in order. `sh -c SCRIPT` counts as the commands in SCRIPT."""
    words: list[str] = []
    for match in _TOKEN.finditer(script):
        if match["word"]:
            words.append(_unquoted(match["word"]))
        elif match["mark"]:
            if words:
                yield from _commands(words)
            words = []
    if words:
        yield from _commands(words)


def _commands(words: list[str]) -> Iterator[Command]:
    command = _command(words)
    options = list(itertools.takewhile(lambda word: word.startswith("-"), command.words[1:]))
    script = command.words[len(options) + 1 :][:1]
    if script and _SHELL.fullmatch(command.words[0]) and any(re.fullmatch(r"-\w*c\w*", each) for each in options):
        yield from commands_in(script[0])
    else:
        yield command


def _command(words: list[str]) -> Command:
    assigned: list[tuple[str, str]] = []
    at = 0
    while at < len(words):
        match = _ASSIGNMENT.fullmatch(words[at])
        if match:
            assigned.append((match[1], match[2]))
        elif words[at] not in _STARTERS and not (at and (words[at].startswith("-") or _AMOUNT.fullmatch(words[at]))):
            break
        at += 1
    if words[at : at + 1] == ["export"]:
        assigned += [(m[1], m[2]) for m in map(_ASSIGNMENT.fullmatch, words[at + 1 :]) if m]
    return Command(tuple(words[at:]), tuple(assigned))


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", re.sub(r"[\"']", "", word)) if re.search(r"[\"'\\]", word) else word
