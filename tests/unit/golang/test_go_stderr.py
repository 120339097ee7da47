"""Go's own words, taken from go1.26.8 and go1.27.3 (which say the same), and what we make of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.golang.go_stderr import may_pass, refusals
from go_prefetch.golang.modcache import Kind, ModuleFile
from go_prefetch.golang.module import ModuleVersion

A = ModuleVersion("example.com/a", "v1.0.0")
B = ModuleVersion("github.com/BurntSushi/b", "v2.0.0+incompatible")
KINDS: tuple[Kind, ...] = ("zip", "mod", "info")
PLANNED = frozenset(ModuleFile(version, kind) for version in (A, B) for kind in KINDS)

SECURITY_ERROR = """
SECURITY ERROR
This download does NOT match an earlier download recorded in go.sum.
The bits may have been replaced on the origin server, or an attacker may
have intercepted the download attempt.

For more information, see 'go help module-auth'.
"""
ZIP_MISMATCH = f"""\
verifying example.com/a@v1.0.0: checksum mismatch
	downloaded: h1:9WjRkffHC3m3s72QsjIRVyHrHOc+JYUU0wE7a4rWeg4=
	go.sum:     h1:OsgQpTCoOUsyRGypUqxh2e264F9dLIXzgPEJliVZ4NU=
{SECURITY_ERROR}"""
INCOMPATIBLE_ZIP_MISMATCH = f"""\
verifying github.com/BurntSushi/b@v2.0.0+incompatible: checksum mismatch
	downloaded: h1:Jo/8PmZyEvq9Or2W1kcx+jh2p3O2CFUOjSkQkEaha34=
	go.sum:     h1:CObXj1Su2lgEkuX97rL325NoEbQgZaOwx65xkBLOVgM=
{SECURITY_ERROR}"""
MOD_MISMATCH = f"""\
verifying example.com/a@v1.0.0/go.mod: checksum mismatch
	downloaded: h1:8XU5bidjcs+vcqlStZB4ImaHaLyCJgTwqSxGa1E4rJk=
	go.sum:     h1:DhNAN5ESgofBjUyC9S2g6VCJUhcIDhtNzG+3JuOOhyg=
{SECURITY_ERROR}"""
# From the source (modfetch/fetch.go, checkSumDB): a database that contradicts a proxy is hard to come by.
SUMDB_ZIP_MISMATCH = """\
go: example.com/a@v1.0.0: verifying module: checksum mismatch
	downloaded: h1:9WjRkffHC3m3s72QsjIRVyHrHOc+JYUU0wE7a4rWeg4=
	sum.golang.org: h1:OsgQpTCoOUsyRGypUqxh2e264F9dLIXzgPEJliVZ4NU=
"""
SUMDB_MOD_MISMATCH = SUMDB_ZIP_MISMATCH.replace("verifying module", "verifying go.mod")


@pytest.mark.parametrize(
    ("said", "file"),
    [
        pytest.param(ZIP_MISMATCH, ModuleFile(A, "zip"), id="zip"),
        pytest.param(INCOMPATIBLE_ZIP_MISMATCH, ModuleFile(B, "zip"), id="zip, +incompatible"),
        pytest.param(MOD_MISMATCH, ModuleFile(A, "mod"), id="go.mod"),
        pytest.param(SUMDB_ZIP_MISMATCH, ModuleFile(A, "zip"), id="zip, by the checksum database"),
        pytest.param(SUMDB_MOD_MISMATCH, ModuleFile(A, "mod"), id="go.mod, by the checksum database"),
        pytest.param(f"go: downloading x v1\n{ZIP_MISMATCH}", ModuleFile(A, "zip"), id="zip, behind other lines"),
    ],
)
@pytest.mark.parametrize("planned", [PLANNED, frozenset[ModuleFile]()], ids=["planned", "not planned"])
def test_a_checksum_mismatch_is_told_whatever_was_planned(
    said: str, file: ModuleFile, planned: frozenset[ModuleFile]
) -> None:
    found = refusals(said.splitlines(), planned)
    assert [(refusal.file, refusal.is_mismatch) for refusal in found] == [(file, True)]


def test_a_mismatch_carries_gos_words() -> None:
    """The verdict and both hashes; the advice that follows is the same every time."""
    assert refusals(ZIP_MISMATCH.splitlines(), PLANNED)[0].words.splitlines() == ZIP_MISMATCH.splitlines()[:3]


def test_two_mismatches_are_two_refusals() -> None:
    found = refusals((ZIP_MISMATCH + MOD_MISMATCH).splitlines(), PLANNED)
    assert [refusal.file for refusal in found] == [ModuleFile(A, "zip"), ModuleFile(A, "mod")]


BROKEN = {
    "unzip": ("go: example.com/a@v1.0.0: unzip /c/example.com/a/@v/v1.0.0.zip: bad name", ModuleFile(A, "zip")),
    "no zip": ("go: example.com/a@v1.0.0: zip: not a valid zip file", ModuleFile(A, "zip")),
    "flate": ("go: example.com/a@v1.0.0: flate: corrupt input before offset 9", ModuleFile(A, "zip")),
    "crc": ('"example.com/a@v1.0.0": zip: checksum error', ModuleFile(A, "zip")),
    "short": ("go: github.com/BurntSushi/b@v2.0.0+incompatible: unexpected EOF", ModuleFile(B, "zip")),
    "mod": ("go: example.com/a@v1.0.0: parsing /c/example.com/a/@v/v1.0.0.mod: syntax error", ModuleFile(A, "mod")),
    "mod, errors": ("go: example.com/a@v1.0.0: errors parsing go.mod:", ModuleFile(A, "mod")),
    "required by another": (
        "go: x.y/z@v1.0.0 requires example.com/a@v1.0.0: zip: checksum error",
        ModuleFile(A, "zip"),
    ),
}


@pytest.mark.parametrize(("line", "file"), [pytest.param(*case, id=name) for name, case in BROKEN.items()])
def test_a_broken_file_is_told_if_it_was_planned(line: str, file: ModuleFile) -> None:
    found = refusals([line], PLANNED)
    assert [(refusal.file, refusal.is_mismatch, refusal.words) for refusal in found] == [(file, False, line)]
    assert refusals([line], frozenset()) == []


@pytest.mark.parametrize(
    "line",
    [
        "go: zip: not a valid zip file",  # Go does not say which
        "go: flate: corrupt input before offset 9",
        "go: example.com/a@v1.0.0: module lookup disabled by GOPROXY=off",
        "go: example.com/a@v1.0.0: missing go.sum entry for go.mod file",
        "go: updates to go.mod needed",
        "go: downloading example.com/a v1.0.0",
        "go: example.com/a@v1.0.0: reading file:///x/example.com/a/@v/v1.0.0.zip: no such file or directory",
        'go: example.com/a@v1.0.0: invalid response from proxy "https://p.example": invalid character',
        "go: example.com/a@v1.0.0: reading https://p.example/example.com/a/@v/v1.0.0.zip: 503 Service Unavailable",
        "go: zip for example.com/a@v1.0.0 has unexpected file x/example.com/a@v1.0.0/a.go",
        "verifying example.com/a@v1.0.0: checksum missing",
        "# get https://p.example/example.com/a/@v/v1.0.0.zip: 200 OK (0.1s)",
        "",
    ],
)
def test_other_lines_refuse_nothing(line: str) -> None:
    assert refusals([line], PLANNED) == []


@pytest.mark.parametrize(
    "line",
    [
        'go: example.com/a@v1.0.0: Get "http://127.0.0.1:9/x.mod": dial tcp 127.0.0.1:9: connect: connection refused',
        'go: example.com/a@v1.0.0: Get "http://x.invalid/": dial tcp: lookup x.invalid on 10.0.0.53:53: no such host',
        'go: example.com/a@v1.0.0: Get "https://p/": read tcp 1.2.3.4:5->6.7.8.9:443: read: connection reset by peer',
        'go: example.com/a@v1.0.0: Get "https://p/": net/http: TLS handshake timeout',
        'go: example.com/a@v1.0.0: Get "https://p/": dial tcp 1.2.3.4:443: i/o timeout',
        'go: example.com/a@v1.0.0: Get "https://p/": EOF',
        'go: example.com/a@v1.0.0: Get "https://p/": unexpected EOF',
        "go: example.com/a@v1.0.0: stream error: stream ID 11; INTERNAL_ERROR; received from peer",
        "go: example.com/a@v1.0.0: http2: server sent GOAWAY and closed the connection",
        "go: example.com/a@v1.0.0: reading https://p/x.zip: 503 Service Unavailable",
        "go: example.com/a@v1.0.0: reading https://p/x.zip: 429 Too Many Requests",
        "go: example.com/a@v1.0.0: reading https://p/x.zip: 408 Request Timeout",
        'go: example.com/a@v1.0.0: invalid response from proxy "https://p": invalid character',
        "	server response: not found: fetch timed out",
        'go: example.com/a@v1.0.0: Get "https://p/": dial tcp 1.2.3.4:443: connect: network is unreachable',
        "	fatal: unable to access 'https://x.test/x/': Could not resolve host: x.test",
        "	fatal: unable to access 'https://x.test/x/': Failed to connect to x.test port 443 after 0 ms",
        "	fatal: unable to access 'https://x.test/x/': Empty reply from server",
        "	fatal: unable to access 'https://x.test/x/': The requested URL returned error: 503",
        "	fatal: unable to access 'https://x.test/x/': CONNECT tunnel failed, response 502",
        "	ssh: connect to host x.test port 22: Connection timed out",
        "	ssh: Could not resolve hostname x.test: Name or service not known",
        "	fatal: early EOF",
    ],
)
def test_what_another_attempt_may_not_meet(line: str) -> None:
    assert may_pass(["go: downloading x v1.0.0", line])


@pytest.mark.parametrize(
    "line",
    [
        "go: example.com/a@v1.0.0: reading https://p/x.zip: 404 Not Found",
        "go: example.com/a@v1.0.0: reading https://p/x.zip: 410 Gone",
        "go: example.com/a@v1.0.0: reading https://p/x.zip: 403 Forbidden",
        "go: example.com/a@v1.0.0: reading https://p/x.zip: 401 Unauthorized",
        "go: example.com/a@v1.0.0: module lookup disabled by GOPROXY=off",
        "go: example.com/a@v1.0.0: invalid version: unknown revision v1.0.0",
        "go: example.com/a@v1.0.0: missing go.sum entry for go.mod file",
        "go: go.mod requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)",
        "malformed go.sum:",
        "	fatal: unable to access 'https://x.test/x/': The requested URL returned error: 403",
        "	fatal: unable to access 'https://x.test/x/': CONNECT tunnel failed, response 407",
        "	fatal: repository 'https://x.test/x/' not found",
        *ZIP_MISMATCH.splitlines(),
    ],
)
def test_what_another_attempt_would_meet_again(line: str) -> None:
    assert not may_pass([line])


LONG = ("a.", ".", "@", "a@v1", "verifying a@", "zip: a.a@v1 ", "a.a@v1 parsing ", "unzip ", "stream error: ", "x: ")


@pytest.mark.parametrize("words", LONG)
def test_a_long_line_does_not_take_long(words: str) -> None:
    """A proxy chooses these words. Ten seconds are far more than needed; without care it would be hours."""
    line = words * (100_000 // len(words))
    started = time.monotonic()
    refusals([line], PLANNED)
    may_pass([line])
    assert time.monotonic() - started < 10


_fragments = st.sampled_from(
    ["verifying ", "example.com/a", "@", "v1.0.0", "/go.mod", ": checksum mismatch", "zip: ", "../", " ", "\0", "go: "]
)


@given(st.lists(st.text() | st.lists(_fragments).map("".join)))
@settings(deadline=None)
def test_any_lines_are_read(lines: list[str]) -> None:
    """Only a mismatch may name a file that was not planned; nothing else is believed to be a module."""
    for refusal in refusals(lines, PLANNED):
        assert refusal.is_mismatch or refusal.file in PLANNED
    may_pass(lines)


def test_refusals_of_a_damaged_toolchain_name_its_zip() -> None:
    """Go names it by its version, without the platform."""
    zips = [ModuleFile(ModuleVersion("golang.org/toolchain", f"v0.0.1-{name}"), "zip") for name in NAMED]
    line = "go: download go1.27.3: flate: corrupt input before offset 42"
    assert [refusal.file for refusal in refusals([line], frozenset(zips))] == zips[:1]
    assert refusals([line], frozenset(zips[1:])) == []


NAMED = ("go1.27.3.linux-amd64", "go1.27.30.linux-amd64", "go1.27.linux-amd64")
