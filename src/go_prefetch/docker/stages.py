"""A Dockerfile as stages: their parents, their variables, and the instructions before each instruction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from go_prefetch.docker.shell import Command, commands_in
from go_prefetch.docker.syntax import Instruction, parse_dockerfile

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?([-+])([^{}]*))?\}|(\w+))")
_ASSIGNED = re.compile(r"""(?<![\w.-])([A-Za-z_][\w.-]*)=((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\\S|\S)*)""")


@dataclass(frozen=True, eq=False)  # compared by identity: comparing all parents would nest too deep
class Stage:
    """One FROM and what follows it. `base` is expanded as far as possible; `parent` is the stage that it names."""

    start: Instruction
    base: str
    name: str
    parent: Stage | None
    own: tuple[Instruction, ...]

    @property
    def chain(self) -> Iterator[Stage]:
        """Yield this stage and its parents: the first stage, which names the base image, comes last."""
        stage: Stage | None = self
        while stage:
            yield stage
            stage = stage.parent

    @property
    def history(self) -> tuple[Instruction, ...]:
        """Return the instructions up to the end of this stage, with those of its parents, without FROM lines."""
        return tuple(instruction for stage in reversed(list(self.chain)) for instruction in stage.own)


@dataclass(frozen=True)
class Dockerfile:
    """Global arguments and stages, in order."""

    globals: tuple[Instruction, ...]
    stages: tuple[Stage, ...]

    @property
    def defaults(self) -> dict[str, str]:
        """Return the values of the global arguments."""
        return dict(pair for arg in self.globals if arg.name == "ARG" for pair in assignments(arg))

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """Return all instructions, each once."""
        return (*self.globals, *(each for stage in self.stages for each in (stage.start, *stage.own)))

    @property
    def last_stages(self) -> tuple[Stage, ...]:
        """Return the stages that no other stage starts from. Their histories together have all instructions."""
        parents = {stage.parent for stage in self.stages}
        return tuple(stage for stage in self.stages if stage not in parents)


def read_stages(text: str) -> Dockerfile:
    """Parse the stages of a Dockerfile's text. A text without FROM has none."""
    leading: list[Instruction] = []
    blocks: list[list[Instruction]] = []
    for instruction in parse_dockerfile(text):
        if instruction.name == "FROM":
            blocks.append([instruction])
        else:
            (blocks[-1] if blocks else leading).append(instruction)
    defaults = Dockerfile(tuple(leading), ()).defaults
    stages: list[Stage] = []
    for start, *own in blocks:
        words = start.words
        base = expanded(words[0], defaults) if words else ""
        name = words[2] if len(words) > 2 and words[1].upper() == "AS" else ""
        stages.append(Stage(start, base, name, _named(base, stages), tuple(own)))
    return Dockerfile(tuple(leading), tuple(stages))


def _named(base: str, stages: list[Stage]) -> Stage | None:
    return next((stage for stage in reversed(stages) if stage.name and stage.name.lower() == base.lower()), None)


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Replace the known variables of `text`; unknown ones stay."""

    def value(match: re.Match[str]) -> str:
        name, operator, word = match[1] or match[4], match[2], match[3] or ""
        known = values.get(name, "")
        if operator == "+":
            return word if known else ""
        return known or (word if operator == "-" else match[0])

    return _VARIABLE.sub(value, text)


def mentioned(text: str) -> set[str]:
    """Return the names of the variables in a text, also those with a pattern or a default."""
    return set(re.findall(r"\$\{?(\w+)", text))


def assignments(instruction: Instruction) -> list[tuple[str, str]]:
    """Return the names and values of an ARG, ENV or LABEL, unquoted. An ARG without a default has an empty value."""
    if instruction.name == "ENV" and not re.match(r"\s*[\w.-]+=", instruction.text):
        name, _, value = instruction.text.strip().partition(" ")  # the old form: ENV NAME value
        return [(name, value.strip().strip("\"'"))] if name else []
    if instruction.name == "ARG":
        pairs = [word.partition("=") for word in instruction.words]
        return [(name, value) for name, _, value in pairs if name]
    return [(match[1], re.sub(r"[\"']", "", match[2])) for match in _ASSIGNED.finditer(instruction.text)]


def commands(instruction: Instruction) -> tuple[Command, ...]:
    """Return the shell commands of a RUN; none for other instructions."""
    return _commands(instruction.script) if instruction.name == "RUN" else ()


@lru_cache(maxsize=256)  # every rule asks for them
def _commands(script: str) -> tuple[Command, ...]:
    return tuple(commands_in(script))


def mounts(instruction: Instruction) -> list[dict[str, str]]:
    """Return the `--mount` options of a RUN, each as names and values."""
    return [
        {name: value for name, _, value in (part.partition("=") for part in text.split(","))}
        for text in instruction.flag("mount")
    ]
