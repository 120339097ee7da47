"""Our reading of go.mod and go.work is the one of `go mod edit -json` and `go work edit -json`.

The JSON is described at https://go.dev/ref/mod#go-mod-edit. Each example starts a process, hence the small numbers.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.errors import GoSumError
from go_prefetch.golang.gomod import GoMod, GoWork, Replace, parse_gomod, parse_gowork
from go_prefetch.golang.module import ModuleVersion
from tests.support.notices import facts
from tests.unit.golang.test_gomod import MALFORMED, MALFORMED_WORK

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

few = settings(max_examples=60, deadline=None)


class Go:
    """Runs the real `go ... edit -json` on a text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # No other Go is fetched for a text that asks for one, and no go.work of a parent folder matters.
        self._environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}

    def gomod(self, text: str) -> GoMod | None:
        """What Go reads from a go.mod; None if it refuses the text."""
        said = self._edit("mod", text)
        return (
            said
            if said is None
            else GoMod(
                module=said.get("Module", {}).get("Path", ""),
                go=said.get("Go", ""),
                toolchain=said.get("Toolchain", ""),
                requires=tuple(ModuleVersion(one["Path"], one["Version"]) for one in said.get("Require") or ()),
                replaces=_replaces(said),
                excludes=tuple(ModuleVersion(one["Path"], one["Version"]) for one in said.get("Exclude") or ()),
            )
        )

    def gowork(self, text: str) -> GoWork | None:
        """What Go reads from a go.work; None if it refuses the text."""
        said = self._edit("work", text)
        return (
            said
            if said is None
            else GoWork(
                go=said.get("Go", ""),
                uses=tuple(one["DiskPath"] for one in said.get("Use") or ()),
                replaces=_replaces(said),
            )
        )

    def _edit(self, kind: str, text: str) -> Any:
        # One folder below, so that Go does not take the file for that of the module it runs in.
        file = self._folder / "texts" / f"go.{kind}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode())
        command = ["go", kind, "edit", "-json", str(file)]
        done = subprocess.run(command, cwd=self._folder, env=self._environment, capture_output=True, check=False)
        if done.returncode != 0:
            assert b"errors parsing" in done.stderr, done.stderr
            return None
        return json.loads(done.stdout)


def _replaces(said: dict[str, Any]) -> tuple[Replace, ...]:
    pairs = [(one["Old"], one["New"]) for one in said.get("Replace") or ()]
    return tuple(Replace(o["Path"], o.get("Version", ""), n["Path"], n.get("Version", "")) for o, n in pairs)


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Go:
    return Go(tmp_path_factory.mktemp("go-edit"))


NAMES = st.from_regex(r"[a-z]{1,6}\.(com|org)/[A-Za-z~_-]{1,6}(/[a-z.]{0,4}[a-z])?", fullmatch=True)
TAILS = st.sampled_from(["", "-rc.1", "-0.20240102030405-abcdef123456"])
FOLDERS = st.tuples(
    st.sampled_from(["./", "../", "/"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\"), max_size=8),
).map("".join)
COMMENTS = st.one_of(
    st.sampled_from(
        ["indirect", " indirect", " indirect; why", " Deprecated: no", "go:debug panicnil=1", " ( \"'` /*"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), max_size=12),
)


@st.composite
def modules(draw: st.DrawFn) -> tuple[str, str]:
    """A module path and a version that may follow it."""
    path, major = draw(NAMES), draw(st.integers(0, 3))
    version = f"v{major}.{draw(st.integers(0, 30))}.{draw(st.integers(0, 30))}{draw(TAILS)}"
    if major < 2:
        return path, version
    return draw(st.sampled_from([(f"{path}/v{major}", version), (path, f"{version}+incompatible")]))


@st.composite
def replaces(draw: st.DrawFn) -> list[str]:
    path, version = draw(modules())
    old = [path, version] if draw(st.booleans()) else [path]
    return [*old, "=>", *draw(st.one_of(modules(), st.tuples(FOLDERS)))]


GO_LINES = st.sampled_from(["1.13", "1.17", "1.21.0", "1.22rc1", "1.99"]).map(lambda version: [version])
TOOLCHAINS = st.sampled_from(["go1.22.3", "go1.99.1-fork", "default"]).map(lambda name: [name])
GODEBUGS = st.sampled_from(["default=go1.21", "panicnil=1"]).map(lambda setting: [setting])
RETRACTS = modules().map(lambda module: ["[", module[1], ",", module[1], "]"])
REPEATED: dict[str, st.SearchStrategy[list[str]]] = {
    "require": modules().map(list),
    "replace": replaces(),
    "exclude": modules().map(list),
    "retract": st.one_of(RETRACTS, modules().map(lambda module: [module[1]])),
    "tool": NAMES.map(lambda path: [path]),
    "ignore": FOLDERS.map(lambda folder: [folder]),
    "godebug": GODEBUGS,
}
REPEATED_IN_WORK = {
    "use": FOLDERS.map(lambda folder: [folder]),
    "replace": replaces(),
    "godebug": GODEBUGS,
}


def blocks(repeated: dict[str, st.SearchStrategy[list[str]]]) -> st.SearchStrategy[list[Any]]:
    """Several verbs, each with its lines of arguments."""
    kinds = [st.tuples(st.just(verb), st.lists(lines, max_size=4)) for verb, lines in repeated.items()]
    return st.lists(st.one_of(kinds), max_size=6)


def once(verb: str, args: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.tuples(st.just(verb), st.lists(args, min_size=1, max_size=1)), max_size=1)


def quoted(value: str, chance: random.Random) -> str:
    """A Go string literal for `value`, some of its characters escaped in one of the ways Go knows."""

    def escaped(character: str) -> str:
        if character in '"\n' or chance.random() < 0.2:
            ways = [f"\\U{ord(character):08x}", "".join(f"\\x{byte:02X}" for byte in character.encode())]
            ways += ["".join(f"\\{byte:03o}" for byte in character.encode())]
            return chance.choice(ways)
        return character.replace("\0", "\\x00")

    return '"' + "".join(map(escaped, value)) + '"'


def spelled(verb: str, args: Iterable[str], chance: random.Random) -> str:
    """Arguments, quoted where Go wants or allows it."""
    words = []
    for arg in args:
        bare = arg.isascii() and arg.isprintable() and not set(" \"'`()[]{},") & set(arg) and "//" not in arg
        as_it_is = arg in {"=>", "[", "]", ","} or verb in {"go", "toolchain", "godebug"}
        plain = as_it_is or (bare and "/*" not in arg and chance.random() < 0.8)
        words.append(arg if plain else quoted(arg, chance))
    return chance.choice([" ", "\t", "  \t"]).join(words)


@st.composite
def layouts(draw: st.DrawFn, directives: st.SearchStrategy[list[Any]]) -> str:
    """The directives in some order, in lines or blocks, with blank lines, comments and either kind of line end."""
    chance = draw(st.randoms(use_true_random=False))
    lines: list[str] = []
    for verb, arg_lines in draw(directives.flatmap(st.permutations)):
        rows = [spelled(verb, args, chance) for args in arg_lines]
        if verb in {"go", "toolchain"} or chance.random() < 0.4:
            lines += [f"{verb} {row}" for row in rows]
        elif rows or chance.random() < 0.5:
            lines += [f"{verb} (", *rows, ")"]
        else:
            lines.append(f"{verb} ( )")
    decorated = []
    for line in lines:
        decorated += [f"// {draw(COMMENTS)}"] * (chance.random() < 0.1) + [" \t"] * (chance.random() < 0.1)
        gap = " " if line.endswith("/") else chance.choice(["", " "])  # in `/` and `//` together the comment is first
        comment = f"{gap}//{draw(COMMENTS)}" if chance.random() < 0.3 else ""
        decorated.append(chance.choice(["", "\t", " "]) + line + comment)
    return chance.choice(["\n", "\r\n"]).join([*decorated, *[""] * chance.randrange(3)])


def concatenated(*parts: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any]]:
    return st.tuples(*parts).map(lambda lists: [item for part in lists for item in part])


MODULE_LINE = st.tuples(st.just("module"), NAMES.map(lambda path: [[path]])).map(lambda line: [line])
TOP = (once("go", GO_LINES), once("toolchain", TOOLCHAINS))
GO_MODS = layouts(concatenated(MODULE_LINE, *TOP, blocks(REPEATED)))
GO_WORKS = layouts(concatenated(*TOP, blocks(REPEATED_IN_WORK)))


def in_any_order(file: GoMod | GoWork) -> list[Any]:
    """Go drops all but the last of repeated replacements, and so leaves them in another order."""
    rest = [value for name, value in vars(file).items() if name != "replaces"]
    return [*rest, sorted(file.replaces, key=str)]


@pytest.mark.slow
@given(text=GO_MODS)
@few
def test_go_mod_texts_are_read_as_go_reads_them(go: Go, text: str) -> None:
    expected = go.gomod(text)
    assert expected is not None
    assert in_any_order(parse_gomod(text, "go.mod")) == in_any_order(expected)


@pytest.mark.slow
@given(text=GO_WORKS)
@few
def test_go_work_texts_are_read_as_go_reads_them(go: Go, text: str) -> None:
    expected = go.gowork(text)
    assert expected is not None
    assert in_any_order(parse_gowork(text, "go.work")) == in_any_order(expected)


# Odd lines in any order: a few texts out of ten are a go.mod to Go.
ODD_LINES = [
    "require a.com/b v1.0.0",
    'require"a.com/b"v1.0.0//c',
    "require ( // c",
    "require(",
    ") // c",
    ")",
    "a.com/b v1.0.0",
    '"a\\x2ecom/b"\tv1.0.0\r',
    "require ( )",
    "require ( ) // c",
    "replace (",
    "replace a.com/b =>./x",
    "replace a.com/b => ./x//y",
    "replace a.com/b v1.0.0 => ./x",
    'a.com/b => "./x y"',
    '"=>" => C:/x',
    "// c",
    "",
    "godebug a=(b)",
    "go 1.22",
]


@pytest.mark.slow
@given(lines=st.lists(st.sampled_from(ODD_LINES), max_size=6))
@few
def test_odd_texts_that_go_reads_we_read_alike(go: Go, lines: list[str]) -> None:
    text = "\n".join(["module m", *lines])
    expected = go.gomod(text)
    if expected is not None:
        assert in_any_order(parse_gomod(text, "go.mod")) == in_any_order(expected)


@pytest.mark.parametrize("line", [*ODD_LINES, "require (\n)", "require (\n\ta.com/b v1.0.0 // c\n) // c"])
def test_an_odd_line_alone(go: Go, line: str) -> None:
    text = f"module m\n{line}\n"
    expected = go.gomod(text)
    if expected is not None:
        assert in_any_order(parse_gomod(text, "go.mod")) == in_any_order(expected)


@pytest.mark.parametrize("name", MALFORMED)
def test_what_we_call_malformed_go_refuses(go: Go, name: str) -> None:
    assert go.gomod("module m" + MALFORMED[name][0]) is None


@pytest.mark.parametrize("name", MALFORMED_WORK)
def test_what_we_call_malformed_go_refuses_in_go_work(go: Go, name: str) -> None:
    assert go.gowork(MALFORMED_WORK[name][0]) is None


@pytest.mark.parametrize(
    "line",
    [
        "tomorrow a b c",
        "tool",
        "retract [v1.0.0",
        "require a.com/b main",  # go mod tidy would turn it into a version
        "require a.com/b/v2 v1.0.0",
        "require `a.com/b` v1.0.0",  # the reference has raw strings, x/mod refuses them
        "go (\n\t1.22\n)",
        "toolchain nightly",
        "replace a.com/b => C:\\b",  # on Windows, Go accepts it
    ],
)
def test_what_go_refuses_and_we_leave_to_go(go: Go, line: str) -> None:
    text = f"module m\n{line}\n"
    assert go.gomod(text) is None
    assert parse_gomod(text, "go.mod").module == "m"


@pytest.mark.parametrize("text", ["", "go 1.22\n", 'module ""\n', "module m // \0\n"])
def test_what_go_mod_edit_reads_and_we_refuse(go: Go, text: str) -> None:
    """Go's other commands refuse a go.mod without a module too; a NUL byte never gets into one on purpose."""
    assert go.gomod(text) is not None
    with pytest.raises(GoSumError) as caught:
        parse_gomod(text, "go.mod")
    assert facts(caught.value)["number"] == 1


REAL = [
    "github.com/caddyserver/caddy/v2@v2.8.4",
    "github.com/cli/cli/v2@v2.57.0",
    "github.com/containerd/containerd@v1.7.21",
    "github.com/gohugoio/hugo@v0.134.0",
    "github.com/grafana/loki/v3@v3.1.1",
    "github.com/hashicorp/terraform@v1.9.5",
    "github.com/prometheus/prometheus@v0.54.1",
    "github.com/traefik/traefik/v3@v3.1.2",
    "golang.org/x/tools@v0.24.0",
    "helm.sh/helm/v3@v3.15.4",
    "k8s.io/kubernetes@v1.31.0",
]


@pytest.mark.network
def test_real_go_mod_files(go: Go, tmp_path: Path) -> None:
    # `go list -m` fetches the go.mod file alone, without the module's zip.
    environment = {**os.environ, "GOMODCACHE": str(tmp_path / "cache"), "GOFLAGS": "-modcacherw", "GOWORK": "off"}
    command = ["go", "list", "-m", "-f", "{{.GoMod}}", *REAL]
    listed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    for name, file in zip(REAL, listed.stdout.splitlines(), strict=True):
        text = Path(file).read_bytes().decode()
        expected = go.gomod(text)
        assert expected is not None, name
        assert in_any_order(parse_gomod(text, name)) == in_any_order(expected), name
