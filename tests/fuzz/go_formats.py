"""Formats of Go: its files, its variables, what it prints."""

from __future__ import annotations

import contextlib
import re
import zlib
from urllib.parse import urlsplit

from go_prefetch.base.redaction import HIDDEN
from go_prefetch.errors import GoCommandError, GoSumError, InputError
from go_prefetch.golang import build_cache, goflags, module, semver
from go_prefetch.golang.command import GoRun, _check_version, failed
from go_prefetch.golang.download_trace import GoTrace
from go_prefetch.golang.go_stderr import may_pass, refusals, tells_of_a_damaged_zip, tells_of_a_lost_zip
from go_prefetch.golang.gomod import go_line_at_least, go_lines, parse_dependency, parse_gomod, parse_gowork
from go_prefetch.golang.goproxy import Fallback, parse_proxy_list, redact, redact_list, secrets_of
from go_prefetch.golang.gosum import parse_gosum
from go_prefetch.golang.gosumdb import parse_gosumdb
from go_prefetch.golang.modcache import ModuleFile, file_in_pool, file_named
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.golang.module_graph import Requirements, read_graph
from go_prefetch.golang.toolchain import is_platform, newest, toolchain, version_key, version_of
from go_prefetch.run.steps.explain_failure import hinted
from go_prefetch.web.goauth import _words, parse_headers
from tests.fuzz.target import assert_inside, scratch, target, text_of

_LIB = ModuleVersion("example.com/lib", "v1.2.3")


@target("golang.gosum", "golang.modcache")
def go_sum(data: bytes) -> None:
    """Only GoSumError. What is read is read again as the same, and each line is a file inside of a folder."""
    try:
        found = parse_gosum(data, "go.sum")
    except GoSumError:
        return
    again = parse_gosum("\n".join(line.text for line in found.lines).encode(), "go.sum")
    assert again.lines == found.lines
    assert not again.ignored
    assert len(found.warnings) <= 1
    for line in found.lines:
        file = ModuleFile(line.module, line.kind)
        assert_inside(file.name)
        assert file_named(file.name) == file


@target("golang.gomod", "golang.toolchain")
def go_mod(data: bytes) -> None:
    """Only GoSumError, from each of the three readers. Lines of a version are compared without an error."""
    text = text_of(data)
    for read in (parse_gomod, parse_gowork):
        with contextlib.suppress(GoSumError):
            go_line_at_least(read(text, "go.mod").go, 1, 17)
    newest("go1.21.0", go_lines(text))
    try:
        dependency = parse_dependency(text, "go.mod")
    except GoSumError:
        return
    assert all(semver.canonical(version) == version for _, version in dependency.requires)


@target("golang.module", "golang.semver", "golang.modcache")
def file_name(data: bytes) -> None:
    """The name of a file of a pool, an entry or a zip: None, or a name that leads nowhere else."""
    text = text_of(data)
    for found in (file_named(text), file_in_pool(text)):
        if found:
            assert_inside(found.name)
            assert module.check(*found.module) == ""
    path, _, version = text.partition("@")
    module.check(path, version)
    assert module.unescape(module.escape(path)) == path or "!" in path
    module.matches_prefix_patterns(path, version)
    with contextlib.suppress(ValueError):
        semver.sort_key(version)


@target("golang.toolchain")
def toolchain_name(data: bytes) -> None:
    """A toolchain is named by go.mod: no module, or one whose files are inside of a folder."""
    text = text_of(data)
    version_key(text)
    version_of(text)
    found = toolchain(text, "linux/amd64")
    if found:
        assert_inside(ModuleFile(found, "zip").name)
    if is_platform(text):
        assert text.count("/") == 1


@target("golang.go_stderr", "golang.download_trace")
def go_output(data: bytes) -> None:
    """Lines of Go on stderr, of which servers choose a part: no error, and a remote without its password."""
    lines = text_of(data).split("\n")
    files = frozenset(ModuleFile(_LIB, kind) for kind in ("zip", "mod", "info"))
    for refusal in refusals(lines, files):
        assert refusal.is_mismatch or refusal.file in files
    may_pass(lines)
    with scratch() as folder:
        tells_of_a_lost_zip(lines, folder)
    tells_of_a_damaged_zip(text_of(data))
    trace = GoTrace()
    for line in lines:
        trace.read(line)
    for one in trace.pending:
        assert not re.search(r"://[^/?#\s]*@", one.remote)
        urlsplit(one.remote)


@target("run.steps.explain_failure", "model.failure_cause")
def go_failure(data: bytes) -> None:
    """Go's last words before it fails: an error of ours, which quotes a part of them."""
    run = GoRun(("go", "mod", "download"), 1, tuple(text_of(data).split("\n")))
    error = hinted(failed(run))
    assert isinstance(error, GoCommandError)
    assert len(error.go_stderr) < 30_000


@target("golang.goproxy", "base.redaction")
def goproxy_list(data: bytes) -> None:
    """Only InputError, without the password. A list is written as it is read, and shown without passwords."""
    text = f"https://user:{HIDDEN}@proxy.example/{text_of(data)}"
    for given in (text_of(data), text):
        redact(given)
        redact_list(given)
        secrets_of(given)
        try:
            proxies = parse_proxy_list(given)
        except InputError:
            continue
        assert parse_proxy_list(proxies.text).text == proxies.text
        assert len(proxies.shown) <= len(given) + len("https://off,") * (len(proxies.proxies) + 1) + 7
        proxies.with_fallback(Fallback.AUTO)
        assert all(proxy.url.lower().startswith(("http", "file")) for proxy in proxies.proxies)
        _ = proxies.named_hosts


@target("golang.gosumdb", "golang.goflags", "golang.command")
def go_variable(data: bytes) -> None:
    """A value of `go env`: ValueError or GoCommandError, and nothing else."""
    text = text_of(data)
    with contextlib.suppress(ValueError):
        parse_gosumdb(text)
    assert all(flag.startswith("-") for flag in goflags.flags(text))
    goflags.value(text, "mod")
    goflags.is_set(text, "modcacherw")
    with contextlib.suppress(GoCommandError):
        _check_version(text)


@target("web.goauth")
def goauth_output(data: bytes) -> None:
    """What a command of GOAUTH prints: ValueError, or headers that are one line each."""
    text = text_of(data)
    with contextlib.suppress(ValueError):
        _words(text)
    with contextlib.suppress(ValueError):
        for headers in parse_headers(text).values():
            assert not any("\n" in part or "\r" in part for header in headers.items() for part in header)


@target("golang.build_cache")
def build_actions(data: bytes) -> None:
    """Actions of GOCACHE: refused, or the same bytes again. A name of an output is inside of GOCACHE."""
    actions = build_cache.parse_actions(data)
    if actions is not None:
        assert b"".join(action.line for action in actions) == data
        assert all(0 <= action.size <= build_cache.MOST_OUTPUT_BYTES for action in actions)
        for action in actions:
            assert_inside(action.name)
    name = build_cache.parse_output_name(text_of(data))
    if name:
        assert_inside(name.path)
        assert name.path == text_of(data)
    build_cache.id_of(text_of(data), "-a")


@target("golang.module_graph")
def module_graph(data: bytes) -> None:
    """A graph of go.mod files that a proxy chooses, cycles too: it ends, and has one version for each path."""
    mods = text_of(data).split("\0")

    def read(wanted: ModuleVersion) -> Requirements | None:
        number = zlib.crc32(str(wanted).encode()) % len(mods) if wanted.version else 0
        try:
            found = parse_dependency(mods[number], "go.mod")
            return Requirements(found.requires, is_pruned=go_line_at_least(found.go, 1, 17))
        except GoSumError:
            return None

    graph = read_graph([ModuleVersion("example.com/app", "")], read)
    assert graph.needed <= set(graph.selected.values())
    assert graph.providers <= graph.selected.keys() | {"example.com/app"}
