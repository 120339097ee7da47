"""Our reading of module paths, versions and private patterns is golang.org/x/mod's, and the escaped URL is Go's.

One Go program answers for all samples at once; the samples are the same in every run.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.golang import module, semver
from tests.unit.golang.test_module import ACCEPTED, PATTERNS, REFUSED
from tests.unit.golang.test_semver import ASCENDING

pytestmark = pytest.mark.network

_XMOD = "v0.20.0"
_GO_MOD = f"module example.com/answers\n\ngo 1.21\n\nrequire golang.org/x/mod {_XMOD}\n"
_MAIN_GO = """\
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

func main() {
	questions := bufio.NewScanner(os.Stdin)
	questions.Buffer(nil, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for questions.Scan() {
		var q [3]string
		if err := json.Unmarshal(questions.Bytes(), &q); err != nil {
			panic(err)
		}
		switch q[0] {
		case "check":
			answers.Encode(module.Check(q[1], q[2]) == nil && module.CanonicalVersion(q[2]) == q[2])
		case "canonical":
			answers.Encode(module.CanonicalVersion(q[1]) == q[1])
		case "escape":
			path, _ := module.EscapePath(q[1])
			version, _ := module.EscapeVersion(q[2])
			answers.Encode(path + "/@v/" + version)
		case "match":
			answers.Encode(module.MatchPrefixPatterns(q[1], q[2]))
		case "compare":
			answers.Encode(semver.Compare(q[1], q[2]))
		}
	}
}
"""
_SAMPLES = 2000
Question = tuple[str, str, str]


def _folder_with_program(folder: Path) -> Path:
    (folder / "go.mod").write_text(_GO_MOD)
    (folder / "main.go").write_text(_MAIN_GO)
    environ = {**os.environ, "GOWORK": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GONOSUMDB": "*"}
    subprocess.run(["go", "build", "-o", "answers", "."], cwd=folder, env=environ, check=True, capture_output=True)
    return folder / "answers"


class XMod:
    """Asks golang.org/x/mod many questions in one go."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def differences(self, questions: list[Question], ours: list[Any]) -> list[tuple[Question, Any, Any]]:
        """Questions on which we and x/mod disagree: question, ours, theirs."""
        text = "".join(json.dumps(question) + "\n" for question in questions)
        said = subprocess.run([self._program], input=text, capture_output=True, text=True, check=True).stdout
        theirs = [json.loads(line) for line in said.splitlines()]
        assert len(theirs) == len(questions)
        return [(q, we, go) for q, we, go in zip(questions, ours, theirs, strict=True) if we != go]


@pytest.fixture(scope="module")
def xmod(tmp_path_factory: pytest.TempPathFactory) -> XMod:
    return XMod(_folder_with_program(tmp_path_factory.mktemp("xmod")))


_PATH_PARTS = (
    "example.com", "gopkg.in", "github.com", "a", "B", ".", "..", "-", "_", "~", "1", "0", "v1", "v2", "v02", "v2.1",
    "con", "AUX.txt", "com1", "a~1", "a.b~1", ".v0", ".v1", ".v2", "-unstable", "!", "+", " ", "@", "%", "\\", ":", "é",
    "\u212aon", "٢", "\n", "/", "/", "/", "/", "/", "",
)  # fmt: skip
_VERSION_PARTS = (
    "v", "0", "1", "2", "10", "01", ".", ".", ".", "-", "+", "a", "A", "rc.1", "+incompatible", "0.0.0-2020", "é", "/",
    "",
)  # fmt: skip
_PATTERN_PARTS = ("a", "b", "example", ".", "-", "^", "*", "?", "[", "]", "[^", "[a-", "\\", "/", ",", "z", "é")


def _texts(parts: tuple[str, ...], seed: int, longest: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(parts, k=chance.randint(1, longest))) for _ in range(_SAMPLES)]


def _paths() -> list[str]:
    hosts = random.Random(1).choices(("example.com/", "gopkg.in/", "github.com/", ""), k=_SAMPLES)
    return [host + rest for host, rest in zip(hosts, _texts(_PATH_PARTS, 2, 4), strict=True)]


def _versions() -> list[str]:
    chance = random.Random(3)
    sound = [
        f"v{chance.choice('0012')}.{chance.choice(('0', '1', '10'))}.{chance.choice('09')}" for _ in range(_SAMPLES)
    ]
    tails = chance.choices(("", "", "-0", "-1", "-10", "-a", "-A.1", "-a.b", "-0a", "--", "+incompatible"), k=_SAMPLES)
    odd = _texts(_VERSION_PARTS, 4, 6)
    return [v + t if i % 4 else odd[i] for i, (v, t) in enumerate(zip(sound, tails, strict=True))]


def test_check_accepts_exactly_what_go_accepts(xmod: XMod) -> None:
    pairs = [*ACCEPTED.values(), *REFUSED.values(), *zip(_paths(), _versions(), strict=True)]
    ours = [module.check(*pair) == "" for pair in pairs]
    assert sum(ours) > 100
    assert xmod.differences([("check", *pair) for pair in pairs], ours) == []


def test_canonical_versions_are_gos(xmod: XMod) -> None:
    versions = [version for version in (*_versions(), *_texts(_VERSION_PARTS, 5, 6)) if version]
    ours = [semver.is_canonical(version) for version in versions]
    assert xmod.differences([("canonical", version, "") for version in versions], ours) == []


def test_escaped_names_are_gos(xmod: XMod) -> None:
    pairs = [pair for pair in (*ACCEPTED.values(), *zip(_paths(), _versions(), strict=True)) if not module.check(*pair)]
    ours = [f"{module.escape(path)}/@v/{module.escape(version)}" for path, version in pairs]
    assert xmod.differences([("escape", *pair) for pair in pairs], ours) == []


def test_private_patterns_match_as_in_go(xmod: XMod) -> None:
    drawn = [*_texts(_PATTERN_PARTS, 6, 5), *_texts(("a", "*", "?", "[a-z]", "[^b]", "/", r"\a"), 7, 4)]
    paths = _texts(("a", "b", "z", "é", "-", "^", "/"), 8, 4) * 2
    pairs = [(patterns, path) for patterns, path, _ in PATTERNS.values()]
    pairs += zip(drawn, paths, strict=True)
    ours = [module.matches_prefix_patterns(*pair) for pair in pairs]
    assert sum(ours) > 100
    assert xmod.differences([("match", *pair) for pair in pairs], ours) == []


def test_versions_sort_as_in_go(xmod: XMod) -> None:
    versions = [*ASCENDING, *filter(semver.is_canonical, _versions())]
    pairs = list(zip(versions, random.Random(9).sample(versions, len(versions)), strict=True))
    ours = [_compared(semver.sort_key(one), semver.sort_key(other)) for one, other in pairs]
    assert set(ours) == {-1, 0, 1}
    assert xmod.differences([("compare", *pair) for pair in pairs], ours) == []


def _compared(one: semver.SortKey, other: semver.SortKey) -> int:
    return (one > other) - (one < other)
