"""The steps of a GitHub job or composite action, and what each is for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from go_prefetch.workflows.scripts import (
    GoCommand,
    gives_login,
    go_commands,
    is_module_cache,
    publishes,
    retries_download,
)
from go_prefetch.workflows.yaml_tree import Document, Item, MappingNode, Node, Scalar

ACTION = "org/go-prefetch@v1"
_OURS = re.compile(r"(?:[\w.-]+/)*go-prefetch(?:/[\w./-]*)?(?:@|$)")
_OUR_COMMAND = re.compile(r"\bgo-prefetch\s+(?:run|fill|plan)\b")
_FOLDER_INPUTS = ("working-directory", "workdir", "work-dir")
_FILE_INPUTS = ("go-version-file", "cache-dependency-path")
_CACHES_SINCE = 4  # the major version of setup-go that caches by default


@dataclass(frozen=True)
class Step:
    """One step. `is_shared` means that it is an alias of a step elsewhere."""

    document: Document
    item: Item
    node: MappingNode
    defaults: str = "."  # where scripts start

    @property
    def is_shared(self) -> bool:
        """Return whether an alias stands for this step."""
        return self.item.value is not self.node

    @cached_property
    def uses(self) -> str:
        """Return the action; empty for a script."""
        return self.document.text(self.node, "uses").strip()

    @cached_property
    def action(self) -> str:
        """Return the action without its version, in lower case."""
        return self.uses.partition("@")[0].lower()

    @cached_property
    def run(self) -> str:
        """Return the script; empty for an action."""
        return self.document.text(self.node, "run")

    def given(self, name: str) -> str:
        """Return an input of the action, if it is a text."""
        return self.document.text(self.document.get(self.node, "with"), name).strip()

    @property
    def is_ours(self) -> bool:
        """Return whether this step fetches modules already."""
        return bool(_OURS.match(self.uses)) if self.uses else bool(_OUR_COMMAND.search(self.run))

    @property
    def is_checkout(self) -> bool:
        """Return whether this step brings the repository."""
        return self.action.endswith("/checkout") or "git clone" in self.run

    @property
    def is_setup_go(self) -> bool:
        """Return whether this is actions/setup-go."""
        return self.action == "actions/setup-go"

    @property
    def is_module_cache(self) -> bool:
        """Return whether this step restores the module cache by its paths."""
        return self.action in ("actions/cache", "actions/cache/restore") and is_module_cache(self.given("path"))

    @property
    def prepares(self) -> bool:
        """Return whether modules are fetched after this step: it brings code, Go, a cache or a login."""
        is_login = self.action in ("webfactory/ssh-agent", "actions/create-github-app-token")
        restores = self.is_checkout or self.is_setup_go or self.is_module_cache
        return restores or is_login or gives_login(self.run)

    @property
    def retries_download(self) -> bool:
        """Return whether this step repeats `go mod download`."""
        if self.uses:
            return "retry" in self.action and "go mod download" in self.given("command")
        return retries_download(self.run)

    @property
    def publishes(self) -> bool:
        """Return whether this step looks like one that publishes."""
        return publishes(self.uses or self.run)

    @cached_property
    def commands(self) -> Sequence[GoCommand]:
        """Return the go commands of the script."""
        return tuple(go_commands(self.run))

    @property
    def needs_modules(self) -> bool:
        """Return whether this step reads modules of the project."""
        known = ("golangci-lint-action", "goreleaser-action", "govulncheck-action", "ko-build/setup-ko", "gosec")
        return bool(self.commands) or any(name in self.action for name in known)

    def folders(self) -> Iterator[str]:
        """Yield the folders in which this step runs go commands, relative to the folder of the job."""
        start = self.document.text(self.node, "working-directory") or self.defaults
        for command in self.commands:
            if command.folder and not command.has_version:
                yield posixpath.normpath(posixpath.join(start, command.folder))
        yield from (value for name in _FOLDER_INPUTS if (value := self.given(name)) and self.needs_modules)

    def file_folders(self) -> Iterator[str]:
        """Yield the folders of the files that setup-go is given."""
        for name in _FILE_INPUTS:
            for path in self.given(name).split("\n"):
                if path and "*" not in path and "${{" not in path:
                    yield posixpath.dirname(posixpath.normpath(path.strip())) or "."

    def caches(self, line: str) -> bool:
        """Return whether setup-go caches modules; `line` is that of `uses`, which may name the version of a commit."""
        if value := self.given("cache"):
            return value.lower() != "false"
        note = re.search(r"#\s*v?(\d+)", line)
        major = re.match(r"v(\d+)", self.uses.partition("@")[2]) or note
        return not major or int(major[1][:4]) >= _CACHES_SINCE


def steps_of(document: Document, sequence: Node | None, defaults: str = ".") -> tuple[Step, ...]:
    """Return the steps of a sequence."""
    found = ((item, document.resolved(item.value)) for item in document.items(sequence))
    return tuple(Step(document, item, node, defaults) for item, node in found if isinstance(node, MappingNode))


def quote_of(document: Document, step: Step) -> str:
    """Return the quotes around the action of a step; none for a plain one."""
    value = document.resolved(document.get(step.node, "uses"))
    return value.style.value if isinstance(value, Scalar) and value.style.value in ("'", '"') else ""
