"""Go modules made on the spot, as bytes a module proxy would serve and as projects that need them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import re
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

TIMESTAMP = (2020, 1, 1, 0, 0, 0)
HELLO = "func Hello() string"


def escape(text: str) -> str:
    """A module path or version as file names and URLs spell it: every upper-case letter is `!` and its lower case."""
    return re.sub("[A-Z]", lambda letter: "!" + letter[0].lower(), text)


def package_name(path: str) -> str:
    """The package a module of this path would declare: its last telling element, as a Go identifier."""
    telling = re.sub(r"[./]v\d+$", "", path).rpartition("/")[2]
    name = re.sub("[^a-z0-9]", "", telling.lower())
    return name if name[:1].isalpha() else "p" + name


def _hello_package(path: str, version: str) -> str:
    """A Go file whose last line is a comment, so that a damaged copy (see `damaged`) still compiles."""
    return f'package {package_name(path)}\n\n{HELLO} {{ return "{path} {version}" }}\n\n// The end.\n'


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _hash1(files: Mapping[str, bytes]) -> str:
    """Go's `h1:` hash over files under their full names."""
    lines = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def _pack(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files, the same bytes every time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, TIMESTAMP), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


@dataclass(frozen=True)
class FakeModule:
    """One version of a Go module. Without `files` it holds one package whose Hello() names the module and version."""

    path: str
    version: str
    requires: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, str | bytes] = field(default_factory=dict, hash=False)
    go: str = "1.21"
    has_gomod: bool = True
    padding: int = 0

    def __post_init__(self) -> None:
        if not self.files:
            name = f"{package_name(self.path)}.go"
            object.__setattr__(self, "files", {name: _hello_package(self.path, self.version)})

    @property
    def says_hello(self) -> bool:
        """Whether the module's root package has the Hello() that a project can print."""
        return any("/" not in name and HELLO.encode() in _as_bytes(content) for name, content in self.files.items())

    @property
    def info(self) -> bytes:
        """The `.info` file."""
        return json.dumps({"Version": self.version, "Time": "2020-01-01T00:00:00Z"}, separators=(",", ":")).encode()

    @property
    def mod(self) -> bytes:
        """The `.mod` file; for a module without go.mod the one Go makes up for it."""
        if not self.has_gomod:
            return f"module {self.path}\n".encode()
        return _gomod(self.path, self.go, self.requires).encode()

    @cached_property
    def contents(self) -> dict[str, bytes]:
        """Every file of the module under the name it has in the zip and in the hash."""
        files = {name: _as_bytes(content) for name, content in self.files.items()}
        if self.has_gomod:
            files["go.mod"] = self.mod
        if self.padding:
            files["padding.bin"] = random.Random(self.path).randbytes(self.padding)
        return {f"{self.path}@{self.version}/{name}": files[name] for name in sorted(files)}

    @cached_property
    def zip(self) -> bytes:
        """The `.zip` file, deflated as real proxies serve it."""
        return _pack(self.contents)

    @cached_property
    def h1_zip(self) -> str:
        """The hash on the module's own go.sum line."""
        return _hash1(self.contents)

    @property
    def h1_mod(self) -> str:
        """The hash on the module's `/go.mod` line in go.sum."""
        return _hash1({"go.mod": self.mod})

    @property
    def go_sum(self) -> str:
        """The module's two lines in go.sum."""
        return f"{self.path} {self.version} {self.h1_zip}\n{self.path} {self.version}/go.mod {self.h1_mod}\n"


def _gomod(path: str, go: str, requires: Iterable[tuple[str, str]]) -> str:
    lines = [f"\t{name} {version}\n" for name, version in requires]
    block = f"\nrequire (\n{''.join(lines)})\n" if lines else ""
    return f"module {path}\n\ngo {go}\n{block}"


def old_user_of(module: FakeModule) -> FakeModule:
    """A module that imports `module`, so that its own users need both; with `go` 1.16 their go.mod does not say so."""
    last = module.path.rpartition("/")[2]
    return FakeModule(
        "example.com/chain",
        "v1.0.0",
        requires=((module.path, module.version),),
        go="1.16",
        files={"chain.go": f'package chain\n\nimport "{module.path}"\n\n{HELLO} {{ return {last}.Hello() }}\n'},
    )


def layout(modules: Iterable[FakeModule]) -> dict[str, bytes]:
    """The files of these modules under the paths a module proxy, or Go's `cache/download`, has them at."""
    files: dict[str, bytes] = {}
    for module in modules:
        stem = f"{escape(module.path)}/@v/{escape(module.version)}"
        files |= {f"{stem}.info": module.info, f"{stem}.mod": module.mod, f"{stem}.zip": module.zip}
    return files


def damaged(path: str, content: bytes) -> bytes:
    """The file with something else in it that only a comparison of hashes can tell: still well-formed, same module."""
    if path.endswith(".zip"):
        return _damaged_zip(content)
    if path.endswith(".mod"):
        return content + b"// damaged\n"
    return content + b"\n"


def _damaged_zip(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    victim = next((name for name in files if name.endswith(".go")), next(iter(files)))
    text = files[victim]
    files[victim] = text[:-2] + bytes([text[-2] ^ 1]) + text[-1:] if len(text) > 1 else b"!!"
    return _pack(files)


def write_proxy_folder(folder: Path, modules: Iterable[FakeModule]) -> None:
    """Lay the modules out on disk, as for a `file://` proxy."""
    for path, content in layout(modules).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def write_project(
    folder: Path,
    modules: Iterable[FakeModule],
    *,
    path: str = "example.com/app",
    go: str = "1.21",
    requires: Iterable[FakeModule] | None = None,
    extra_go_sum: str = "",
) -> None:
    """Write a program that builds. go.sum lists all modules; go.mod requires `requires`, or else all of them.

    Of several versions of one path the last given is required.
    """
    known = list(modules)
    needed = list({module.path: module for module in (known if requires is None else requires)}.values())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(_gomod(path, go, [(module.path, module.version) for module in needed]))
    (folder / "go.sum").write_text("".join(module.go_sum for module in known) + extra_go_sum)
    (folder / "main.go").write_text(_main_go([module.path for module in needed if module.says_hello]))


def _main_go(imported: list[str]) -> str:
    """A program that prints the Hello() of every imported module to standard output, one a line."""
    if not imported:
        return "package main\n\nfunc main() {}\n"
    imports = "".join(f'\tm{number} "{path}"\n' for number, path in enumerate(imported))
    calls = "".join(f'\tos.Stdout.WriteString(m{number}.Hello() + "\\n")\n' for number in range(len(imported)))
    return f'package main\n\nimport (\n\t"os"\n\n{imports})\n\nfunc main() {{\n{calls}}}\n'
