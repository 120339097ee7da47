"""Our reading of .dockerignore beside github.com/moby/patternmatcher, the one that builders use."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.docker.dockerignore import parse_ignore
from go_prefetch.errors import InputError
from tests.support.workbench import Workbench

pytestmark = pytest.mark.network

PROGRAM = """\
package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

type question struct {
	Text  string
	Paths []string
}

func answer(asked question) []bool {
	patterns, err := ignorefile.ReadAll(strings.NewReader(asked.Text))
	if err != nil {
		return nil
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil
	}
	answers := []bool{}
	for _, path := range asked.Paths {
		excluded, err := matcher.MatchesOrParentMatches(path)
		if err != nil {
			return nil
		}
		answers = append(answers, excluded)
	}
	return answers
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	var answers [][]bool
	for _, asked := range questions {
		answers = append(answers, answer(asked))
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}
"""
PARTS = (
    "a",
    "b",
    "ab",
    "*",
    "**",
    "a*",
    "*.go",
    "?",
    "[ab]",
    "[^a]",
    "a.go",
    "..",
    ".",
    "\\*",
    "**b",
    "**.go",
    "",
    "x y",
    "(",
    "a+",
)
NAMES = ("a", "b", "ab", "ba", "a.go", "b.go", "*", "x y", "(", "a+", ".git")


def questions(count: int) -> list[dict[str, Any]]:
    """Ignore files of a few lines and paths of a few parts; the same ones every time."""
    chance = random.Random(20)
    asked: list[dict[str, Any]] = []
    for _ in range(count):
        lines = []
        for _ in range(chance.randint(1, 4)):
            line = "/".join(chance.choice(PARTS) for _ in range(chance.randint(1, 4)))
            lines.append(chance.choice(("", "", "!", "/", " ", "! ", "#")) + line + chance.choice(("", "", "/", " ")))
        paths = ["/".join(chance.choice(NAMES) for _ in range(chance.randint(1, 4))) for _ in range(12)]
        asked.append({"Text": "\n".join(lines), "Paths": paths})
    return asked


def ours(text: str, paths: list[str]) -> list[bool] | None:
    try:
        ignore = parse_ignore(text, ".dockerignore")
    except InputError:
        return None
    return [ignore.excludes(path) for path in paths]


def test_same_answers(bench: Workbench, tmp_path: Path) -> None:
    """For thousands of files and paths: what Docker keeps out of a context we keep out, and nothing else."""
    bench.project.mkdir(parents=True)
    (bench.project / "go.mod").write_text("module x\n\ngo 1.21\n\nrequire github.com/moby/patternmatcher v0.6.0\n")
    (bench.project / "main.go").write_text(PROGRAM)
    online = {"GOPROXY": "https://proxy.golang.org", "GOFLAGS": "-mod=mod -modcacherw"}
    built = bench.go("build", "-o", str(tmp_path / "matcher"), ".", **online)
    assert built.status == 0, built.text
    asked = questions(4000)
    (tmp_path / "questions").write_text(json.dumps(asked))
    said = bench.program(["sh", "-c", f"{tmp_path}/matcher < {tmp_path}/questions"])
    theirs = json.loads(said.stdout)
    assert sum(answer is not None for answer in theirs) > 2000
    differences = [
        (question, answer, mine)
        for question, answer in zip(asked, theirs, strict=True)
        if answer is not None and (mine := ours(question["Text"], question["Paths"])) != answer
    ]
    assert differences[:3] == []
