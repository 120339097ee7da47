"""Every finding: the case it is for, and the ordinary one in which it keeps quiet."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from go_prefetch.doctor.facts import Definition, Facts
from go_prefetch.doctor.findings import CHECKS, MEASURED_CHECKS, findings
from go_prefetch.doctor.project_checks import doubled_caches
from go_prefetch.doctor.texts import TEXTS
from go_prefetch.errors import notice
from go_prefetch.golang.module import ModuleVersion

DEFINITION = Definition(
    path=Path("/proj/go.mod"),
    go="1.24.0",
    toolchain="",
    has_sums=True,
    requires=True,
    is_vendored=False,
    sum_zips=100,
    planned_zips=63,  # the share of a large project in the wild
)
GOOD = Facts(
    environ={"GOPRIVATE": "corp.test", "GOFLAGS": "-modcacherw", "PATH": "/usr/bin"},
    go_problem=None,
    variables={
        "GOPROXY": "https://proxy.golang.org,direct",
        "GOPRIVATE": "corp.test",
        "GONOPROXY": "corp.test",  # as `go env` answers where only GOPRIVATE is set
        "GONOSUMDB": "corp.test",
        "GOSUMDB": "sum.golang.org",
        "GOINSECURE": "",
        "GOFLAGS": "-modcacherw",
        "GO111MODULE": "",
        "GOVERSION": "go1.27.3",
        "GOTOOLCHAIN": "auto",
    },
    goproxy="https://proxy.golang.org,direct",
    goproxy_problem=None,
    definitions=(DEFINITION,),
    plan_problem=None,
    modules=(ModuleVersion("golang.org/x/text", "v0.14.0"), ModuleVersion("corp.test/lib", "v1.0.0")),
    workflows={},
)
SETUP_GO = "jobs:\n  a:\n    steps:\n      - uses: actions/setup-go@v6\n{}      - uses: org/go-prefetch@v1\n"


def environ(**variables: str) -> Facts:
    return replace(GOOD, environ={**GOOD.environ, **variables})


def variables(**values: str) -> Facts:
    return replace(GOOD, variables={**GOOD.variables, **values})


def proxies(text: str) -> Facts:
    return replace(GOOD, goproxy=text)


def definition(**changes: object) -> Facts:
    return replace(GOOD, definitions=(replace(DEFINITION, **changes),))  # type: ignore[arg-type]


NO_PLAN = notice("go-sum-malformed", where="go.sum:3", problem="2 fields")
NO_PROXY = notice("goproxy-invalid", entry="x", why="it has no scheme")
LOCAL = {**GOOD.variables, "GOTOOLCHAIN": "local"}
BAD: list[tuple[str, Facts, str, str]] = [
    ("go-missing", replace(GOOD, go_problem=notice("go-not-found")), "", ""),
    ("no-plan", replace(GOOD, plan_problem=NO_PLAN), "", ""),
    ("goproxy-invalid", replace(GOOD, goproxy_problem=NO_PROXY), "", ""),
    ("gosumdb-invalid", variables(GOSUMDB="sum.corp.test"), "", "GOSUMDB is malformed"),
    ("goproxy-misspelt", proxies("https://a.test,direct,https://b.test"), "unused", "never used: https://b.test"),
    ("goproxy-misspelt", proxies("https://proxy.golangs.org,direct"), "host", "Did you mean proxy.golang.org?"),
    ("goproxy-misspelt", proxies("goproxy.golang.org"), "host", "Did you mean proxy.golang.org?"),
    ("goproxy-misspelt", proxies("https://a.test,https://a.test/"), "twice", "twice"),
    ("variable-misspelt", environ(GO_PROXY="https://a.test"), "", "Did you mean GOPROXY?"),
    ("goproxy-clear-text", proxies("http://proxy.golang.org"), "", "not encrypted"),
    ("goproxy-lone-file", proxies("file:///srv/pool"), "", "Add `,off`"),
    ("goproxy-asks-nobody", proxies("direct"), "direct", "clones"),
    ("goproxy-asks-nobody", proxies("off"), "off", "not downloaded"),
    ("go-sum-missing", definition(has_sums=False), "", "/proj/go.mod has no go.sum"),
    ("go-sum-unused", definition(planned_zips=40), "", "60 of 100 zips"),
    ("goflags", variables(GOFLAGS="-mod=mod"), "mod", "-mod=mod"),
    ("goflags", variables(GOFLAGS="-mod=vendor"), "no-vendor", "builds fail"),
    ("goflags", variables(GOFLAGS="--modfile=other.mod"), "modfile", "other.mod"),
    ("goflags", variables(GOFLAGS="-insecure"), "insecure", "no longer supports"),
    ("goflags", variables(GO111MODULE="off"), "modules-off", "does not use modules"),
    ("checks-left-out", environ(GONOSUMCHECK="1"), "gonosumcheck", "ignored it since 1.13"),
    ("checks-left-out", variables(GOSUMDB="off"), "gosumdb-off", "GOSUMDB is off"),
    ("checks-left-out", environ(GONOSUMDB="*"), "gonosumdb", "golang.org/x/text"),
    ("checks-left-out", variables(GOINSECURE="corp.test"), "goinsecure", "GOINSECURE"),
    ("gonoproxy-without-need", environ(GONOPROXY="nobody.test"), "nothing", "no module of the plan"),
    ("gonoproxy-without-need", environ(GONOPROXY="*"), "public", "golang.org/x/text"),
    ("gonoproxy-without-need", environ(GONOPROXY="corp.test"), "repeated", "repeats GOPRIVATE"),
    ("cache-doubled", replace(GOOD, workflows={"ci.yml": SETUP_GO.format("")}), "", "ci.yml:4"),
    ("toolchain-ahead", definition(go="1.28.0"), "download", "requires Go 1.28.0, and go1.27.3 is installed"),
    ("toolchain-ahead", definition(toolchain="go1.27.4"), "download", "downloads that toolchain"),
    ("toolchain-ahead", replace(definition(go="1.28"), variables=LOCAL), "refused", "fails"),
    ("vendored", definition(is_vendored=True), "", "/proj is vendored"),
]  # fmt: skip


def test_the_ordinary_case_has_no_findings() -> None:
    assert findings(GOOD) == ()


@pytest.mark.parametrize(
    ("name", "facts", "case"), [row[:3] for row in BAD], ids=[f"{n}-{case}" for n, _, case, _ in BAD]
)
def test_findings_of_a_bad_case_are_exactly_one(name: str, facts: Facts, case: str) -> None:
    (finding,) = findings(facts)
    assert (finding.name, finding.evidence.case) == (name, case)


@pytest.mark.wording
@pytest.mark.parametrize(
    ("facts", "words"), [(row[1], row[3]) for row in BAD], ids=[f"{n}-{case}" for n, _, case, _ in BAD]
)
def test_findings_as_text_name_their_facts(facts: Facts, words: str) -> None:
    (finding,) = findings(facts)
    assert words in finding.text
    assert finding.text.endswith((".", "?"))


QUIET: dict[str, Facts] = {
    "two public proxies": proxies("https://goproxy.io|https://proxy.golang.org|direct"),
    "a company's proxy": proxies("https://athens.corp.test,https://proxy.golang.org,direct"),
    "a mirror with its path": proxies("https://mirrors.aliyun.com/goproxy/,direct"),
    "a folder and then nothing": proxies("file:///srv/pool,off"),
    "the language version alone": definition(go="1.27"),
    "an older toolchain line": definition(toolchain="go1.22.1"),
    "a toolchain line that GOTOOLCHAIN=local does not heed": replace(
        definition(toolchain="go1.30.0"), variables={**GOOD.variables, "GOTOOLCHAIN": "local"}
    ),
    "a Go from the source": replace(
        definition(go="1.27.0"), variables={**GOOD.variables, "GOVERSION": "devel go1.28-abcdef"}
    ),
    "no requirements and no go.sum": definition(has_sums=False, requires=False),
    "a vendor folder and its flag": replace(
        GOOD, has_vendor=False, variables={**GOOD.variables, "GOFLAGS": "-mod=readonly -trimpath"}
    ),
    "a small go.sum of which little is wanted": definition(sum_zips=9, planned_zips=1),
    "GONOSUMDB within GOPRIVATE": environ(GONOSUMDB="corp.test"),
    "GONOPROXY none": environ(GONOPROXY="none"),
    "GONOPROXY for a module that no proxy has": environ(GONOPROXY="corp.test/lib"),
    "no Go, and so no version to compare": variables(GOVERSION=""),
    "a workflow that is not ours": replace(GOOD, workflows={"ci.yml": "steps:\n  - uses: actions/setup-go@v6\n"}),
}


@pytest.mark.parametrize("facts", QUIET.values(), ids=QUIET)
def test_what_is_in_order_is_left_alone(facts: Facts) -> None:
    assert findings(facts) == ()


def test_a_password_in_the_list_is_not_told() -> None:
    found = findings(proxies("https://user:s3cr3t@proxy.golangs.org,direct,https://user:s3cr3t@b.test"))
    assert len(found) == 2
    assert not [finding for finding in found if "s3cr3t" in finding.text]


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        pytest.param("", [4], id="cache by default"),
        pytest.param("        with:\n          cache: false\n", [], id="no cache"),
        pytest.param("        with: { go-version-file: go.mod, cache: false }\n", [], id="in braces"),
        pytest.param("        with: {cache: false}\n", [], id="in braces without blanks"),
        pytest.param("        with: { cache-dependency-path: a }\n", [4], id="another input in braces"),
        pytest.param("        with: # a note\n          go-version: stable\n", [4], id="other inputs"),
        pytest.param(
            "        env:\n          GOMODCACHE: ${{ runner.temp }}/none\n", [], id="the module cache elsewhere"
        ),
    ],
)
def test_setup_go_steps(step: str, lines: list[int]) -> None:
    assert doubled_caches(SETUP_GO.format(step)) == lines


@pytest.mark.parametrize(
    ("ref", "doubled"),
    [
        ("v3", False),
        ("v5.0.1", True),
        ("b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v7.0.0", True),
        ("b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v3.5.0", False),
    ],
)
def test_versions_of_setup_go_that_cache_unless_told_not_to(ref: str, doubled: bool) -> None:
    assert bool(doubled_caches(SETUP_GO.format("").replace("v6", ref))) == doubled


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("steps:\n-\n  name: x\n  uses: actions/setup-go@v6\n- run: go-prefetch run\n", [2]),
        ("steps:\n- name: x\n\n  uses: actions/setup-go@v6\n  with: {}\n- run: go-prefetch run\n", [2]),
        ("a:\n- steps:\n  - uses: actions/setup-go@v6\n  - uses: org/go-prefetch@v1\n    cache: false\n", [3]),
        ("uses: actions/setup-go@v6\nrun: go-prefetch run\n", []),
    ],
    ids=["a dash of its own", "a name and a blank line", "steps in a step", "no list"],
)
def test_where_a_step_begins_and_ends(text: str, lines: list[int]) -> None:
    assert doubled_caches(text) == lines


@pytest.mark.slow
@pytest.mark.parametrize("part", ["\n", " ", "-", "- a\n", "  - uses: actions/setup-go@v3\n", "cache:", "\t", "run:"])
def test_a_workflow_that_was_made_to_be_slow_is_not(part: str) -> None:
    """A repository may hold anything: what takes time in the square of a file's length would not end here."""
    assert doubled_caches("run: go-prefetch run\n" + part * ((1 << 20) // len(part))) == []
    assert doubled_caches("".join(f"{' ' * depth}- a\n" for depth in range(1_400)) + "run: go-prefetch") == []


def test_a_commented_step_is_none() -> None:
    assert doubled_caches(SETUP_GO.format("").replace("      - uses: actions", "      # - uses: actions")) == []


def test_our_own_examples_are_in_order() -> None:
    """What we tell users to write is not what we warn of."""
    root = Path(__file__).parents[3]
    texts = {path.name: path.read_text() for path in (root / "docs" / "examples").glob("*.yml")}
    assert len(texts) >= 2
    assert {name: doubled_caches(text) for name, text in texts.items()} == {name: [] for name in texts}


def test_every_finding_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "doctor.md").read_text(encoding="utf-8")
    names = [name for name, _, _ in (*CHECKS, *MEASURED_CHECKS)]
    names += ["cache-over-limit", "default-branch-unsaved"]  # of the repository's caches
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == set(names) == set(TEXTS)
    assert {row[0] for row in BAD} == {name for name, _, _ in CHECKS}
