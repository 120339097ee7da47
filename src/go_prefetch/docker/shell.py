"""The commands of a shell script, as far as checks of `go` commands need them: no expansion, no control flow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SEPARATOR = re.compile(r"&&|\|\||[;|&\n(){}`]")
_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|\$\{[^{}]*\}|[^\s"'\\;|&(){}`$]|\$)+""")
_TOKEN = re.compile(rf"(?P<comment>(?<![^\s;])\#[^\n]*)|(?P<word>{_WORD.pattern})|(?P<mark>{_SEPARATOR.pattern})|\s")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_STARTERS = frozenset(
    ("time", "exec", "sudo", "env", "then", "do", "else", "if", "elif", "while", "until", "!", "command", "export")
)
_GO = re.compile(r"(?:.*/)?(?:go|xx-go|gotip|go[0-9][0-9.]*)")
_INNER = re.compile(r"([\"'])(.*)\1", re.DOTALL)  # a word that may be a script: `sh -c "…"`
# They neither download modules nor read variables of a project, and their words are no commands.
_PLAIN = re.compile(
    r"addgroup|adduser|apk|apt(?:-get)?|cat|cd|chmod|chown|cp|curl|(?:micro|t)?dnf|git|groupadd|id|ls|mkdir|mv|ln"
    r"|printenv|pwd|rm|set|sleep|tar|test|touch|true|\[|unzip|update-ca-certificates|useradd|wget|which|yum|for|case"
    r"|esac|fi|done|break|exit|echo|printf|grep|sed|awk|:"
)
_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh", "su"))  # `git commit -m "make it so"` runs no make
_MAKERS = frozenset(("make", "gmake", "goreleaser", "mage", "task", "just"))
_REMOVED = re.compile(r"(?:/go|/go/pkg|/pkg/mod|GOMODCACHE\}?|GOPATH\}?|GOPATH\}?/pkg)/?\*?$")


@dataclass(frozen=True)
class Command:
    """One simple command: the assignments before it, and its words without quotes."""

    words: tuple[str, ...]
    assigned: tuple[tuple[str, str], ...] = ()

    @property
    def program(self) -> str:
        """Return the name of the program, without its folder."""
        return self.words[0].rsplit("/", 1)[-1] if self.words else ""

    @property
    def is_plain(self) -> bool:
        """Return whether it is a common program that starts no other."""
        return bool(_PLAIN.fullmatch(self.program))

    @property
    def go(self) -> tuple[str, ...]:
        """Return the words after `go` without `-C DIR`, behind any wrapper; nothing if this is no go command."""
        if self.is_plain:
            return ()
        at = next((at for at, word in enumerate(self.words) if _GO.fullmatch(word)), len(self.words))
        rest = self.words[at + 1 :]
        return rest[2:] if rest[:1] == ("-C",) else rest[1:] if rest and rest[0].startswith("-C=") else rest

    @property
    def downloads(self) -> bool:
        """Return whether it fills the module cache with the modules of the main module."""
        got = self.go[:1] == ("get",) and all(word.startswith(("-", ".")) for word in self.go[1:])
        return got or (self.go[:2] == ("mod", "download") and not any("@" in word for word in self.go))

    @property
    def builds(self) -> bool:
        """Return whether it needs the modules of the main module."""
        verb = self.go[:1] in (("build",), ("install",), ("run",), ("test",), ("vet",))
        return verb and not any("@" in word or word == "std" for word in self.go[1:])

    @property
    def makes(self) -> bool:
        """Return whether it is a program that usually starts the build."""
        return self.program in _MAKERS

    @property
    def removes_modules(self) -> bool:
        """Return whether it empties the module cache."""
        cleaned = self.go[:1] == ("clean",) and any(word.lstrip("-") == "modcache" for word in self.go)
        return cleaned or (self.program == "rm" and any(map(_REMOVED.search, self.words[1:])))


def commands_in(script: str) -> Iterator[Command]:
    """Return the simple commands of `script` in order, and those of the scripts in its quoted words."""
    words: list[str] = []
    for match in _TOKEN.finditer(f"{script}\n"):
        if match["word"]:
            words.append(match["word"])
        elif match["mark"] and words:
            command = _command([_unquoted(word) for word in words])
            yield command
            if not command.is_plain:
                inner = (_INNER.fullmatch(word) for word in words)
                scripts = (found[2] for found in inner if found and " " in found[2])
                yield from (
                    each
                    for text in scripts
                    for each in commands_in(text)
                    if each.go or (each.makes and command.program in _SHELLS)
                )
            words = []


def _command(words: list[str]) -> Command:
    assigned: list[tuple[str, str]] = []
    at = 0
    for at, word in enumerate(words):  # noqa: B007
        if match := _ASSIGNMENT.fullmatch(word):
            assigned.append((match[1], match[2]))
        elif word not in _STARTERS:
            break
    else:
        at = len(words)
    return Command(tuple(words[at:]), tuple(assigned))


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", re.sub(r"[\"']", "", word)) if re.search(r"[\"'\\]", word) else word
