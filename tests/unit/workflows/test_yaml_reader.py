"""The YAML reader: it reads as a real parser does, or it refuses."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from go_prefetch.workflows.github import change_composite, change_workflow
from go_prefetch.workflows.gitlab import change_pipeline
from go_prefetch.workflows.yaml_reader import read_yaml
from go_prefetch.workflows.yaml_tree import NotUnderstoodError, Problem
from tests.support.workflow_shapes import ONE_MODULE, assert_only_inserts, parsed, read, shapes, text_of

TEXTS = [text_of(path) for kind in ("github", "composite", "gitlab") for path in shapes(kind)]
PIECES = (
    " ", "  ", ":", ": ", "- ", '"', "'", "#", " #", "{", "}", "[", "]", ",", "\t", "|", ">", "&a ", "*a", "\n", "?",
    "!x ", "%", "\r", "---\n", "...\n", "\\", "@", "`", "<<: ", "\ufeff", "\x85", "\x00", "\u2028",
)  # fmt: skip

READ = (
    "a: b",
    "a:\n- b\n-   c: d\n    e: f\n- - g\n  - h",
    "a: |\n  b\n   c\n\n  d\ne: >-\n  f\n  g",
    "a: 'it''s'\nb: \"x\\ty\\u0041\"\n'c d': e",
    "a: b\n  c\n\n  d # e\nf: g#h",
    "a: 'b\n  c\n\n  d'",
    "a: {b: c, 'd':e, f: [g, {h: i}], j}\nk: [\n  l, # m\n  n,\n]",
    "a: &x\n  b: c\nd: *x\ne: &y f\ng: [*y]",
    "a: !reference [b, c]\nd: ! e",
    "# a\n---\n# b\na: b # c\n",
    "a: http://b:80/c\nd: e:f\n-g: -h\n?i: 'j'",
    "a:\nb: # c\n  # d\ne:\n  - # f\n  -\n",
    "- a\n- b: c",
    "a: ''\nb: \"\"\nc: |\n\nd: e",
    'on: [push]\n"jobs": {}',
    "a: b\r\nc: |\r\n  d\r\n  e\r\n",
)

REFUSED = (
    ("a: b\n---\nc: d", Problem.DOCUMENTS),
    ("a: b\n...\n", Problem.DOCUMENTS),
    ("%YAML 1.2\n---\na: b", Problem.DIRECTIVE),
    ("a: b\na: c", Problem.DUPLICATE),
    ("a: {b: c, b: d}", Problem.DUPLICATE),
    ("a:\n\tb: c", Problem.TAB),
    ("a:\tb", Problem.TAB),
    ("-\ta", Problem.TAB),
    ("a: |\n  b\n \t\n  c", Problem.TAB),
    ("? a\n: b", Problem.COMPLEX_KEY),
    ("a: b: c", Problem.COMPLEX_KEY),
    ("a: - b", Problem.SCALAR),
    ("a: *b", Problem.ALIAS),
    ("a: @b", Problem.SCALAR),
    ("a: 'b", Problem.UNFINISHED),
    ("a: [b", Problem.UNFINISHED),
    ("a: {b: ${{ c }} }", Problem.UNFINISHED),
    ("a: {b\n: c}", Problem.COMPLEX_KEY),
    ("a: {b:, c: d}", Problem.SCALAR),
    ("a: &b c\nd: &e *b", Problem.ALIAS),
    ("a: {b\n  c: d}", Problem.UNFINISHED),
    ('a: "\\q"', Problem.SCALAR),
    ("a: 'b' c", Problem.SCALAR),
    ("a: b\n c: d", Problem.SCALAR),
    ("a:\n   b: c\n  d: e", Problem.INDENT),
    ("a: b\n- c", Problem.INDENT),
    ("a: |2\n   b", Problem.SCALAR),
    ("a: |\n    \n  b", Problem.INDENT),
    ("a: \x00", Problem.CHARACTER),
    ("a: b\rc: d", Problem.CHARACTER),
    ("a: b\u2028c: d", Problem.CHARACTER),
    ("- " * 1000 + "a", Problem.DEPTH),
    ("a: " + "[" * 1000, Problem.DEPTH),
)


@pytest.mark.parametrize("text", READ)
def test_reader_reads_as_a_real_parser(text: str) -> None:
    assert read(read_yaml(text)) == parsed(text)


@pytest.mark.parametrize(("text", "problem"), REFUSED)
def test_reader_refuses(text: str, problem: Problem) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        read_yaml(text)
    assert caught.value.problem is problem


def test_refusal_names_the_row() -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        read_yaml("a: b\n# c\n\nd: @e\n")
    assert caught.value.row == 3


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\n \n"])
def test_empty_file_has_an_empty_root(text: str) -> None:
    assert read(read_yaml(text)) == ""


LAUGHS = "x0: &x0 [a]\n" + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 50)}]\n" for n in range(1, 12))
CHAIN = "".join(f".j{n}:\n  extends: .j{n - 1}\n  script: go vet\n" for n in range(1, 3_000))
ONE_SCRIPT = "a: &a\n" + "- x\n" * 10_000 + "jobs:\n" + "".join(f" j{n}: {{steps: *a}}\n" for n in range(5_000))


@pytest.mark.parametrize(
    "text", [f"{LAUGHS}job:\n  script: *x11\n", CHAIN, ONE_SCRIPT, f"{LAUGHS}jobs:\n  j:\n    steps: *x11\n"],
    ids=["laughs", "chain", "shared steps", "steps"],
)  # fmt: skip
def test_aliases_of_aliases_take_little_time(text: str) -> None:
    """As above."""
    change_workflow("ci.yml", text, ONE_MODULE)
    change_pipeline("ci.yml", text, ONE_MODULE)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A shape with a few changes: lines removed, indented and joined, characters put in."""
    lines = draw(st.sampled_from(TEXTS)).splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        place = draw(st.integers(0, len(line)))
        changed = (
            "",
            f"  {line}",
            line[1:],
            line.rstrip("\n"),
            line.replace("\n", "\r\n"),
            line[:place] + draw(st.sampled_from(PIECES)) + line[place:],
        )
        lines[at] = draw(st.sampled_from(changed))
    return "".join(lines)


@given(damaged())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_damaged_file_is_read_right_or_refused(text: str) -> None:
    try:
        document = read_yaml(text)
    except NotUnderstoodError:
        return
    assert read(document) == parsed(text)


@given(damaged())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_damaged_file_is_changed_once_or_left(text: str) -> None:
    """The result is read again, and nothing is left to insert."""
    for change in (change_workflow, change_composite, change_pipeline):
        made = change("ci.yml", text, ONE_MODULE)
        assert_only_inserts(made, "")
        new = made.new
        assert change("ci.yml", new, ONE_MODULE).new == new
        if new != text:
            parsed(new)


@given(st.text(alphabet=st.sampled_from("ab:-# \n\t'\"[]{},|>&*!?%@\\<")))
def test_any_text_is_read_right_or_refused(text: str) -> None:
    try:
        document = read_yaml(text)
    except NotUnderstoodError:
        return
    assert read(document) == parsed(text)


@pytest.mark.parametrize(
    "text", ["[" * 500_000, "a: " + "'" * 500_001, "\n" * 500_000, "- " * 250_000, "a: &" * 99_999]
)
def test_hostile_file_takes_little_time(text: str) -> None:
    """The time is in proportion to the size; otherwise this would run into the timeout of a test."""
    change_workflow("ci.yml", text, ONE_MODULE)
