"""Texts of notices: every one that the source makes has a template, and the facts that the template asks for."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from go_prefetch import PROJECT_URL
from go_prefetch.errors import TABLE, InputError, Notice, PrefetchError, notice
from go_prefetch.model.results import FailedAttempt
from go_prefetch.render.messages import as_error, as_warning, attempt, hint, templates, text

SOURCE = Path(__file__).parents[3] / "src" / "go_prefetch"
KINDS = {"notice", "StoreError", *(kind.__name__ for kind in PrefetchError.__subclasses__())} | {
    "ModuleNotFound", "ProxyUnavailable", "ChecksumMismatch", "RateLimitError"
}  # fmt: skip
NOT_FACTS = {"file", "line", "until"}


class Made(NamedTuple):
    """One place of the source that makes a notice."""

    place: str
    slug: str
    case: str
    facts: frozenset[str]
    has_more_facts: bool  # `**facts`


def made() -> Iterator[Made]:
    """Every call of the source that names a slug, and leaves the text to the templates."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if any(kind in text for kind in KINDS) else ():
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS):
                continue
            names = [keyword.arg for keyword in node.keywords]
            facts = frozenset(name for name in names if name) - NOT_FACTS
            for slug, case in product(*map(constants, [*node.args, ast.Constant("")][:2])):
                if "hint" not in names:
                    yield Made(f"{path.name}:{node.lineno}", slug, case, facts, None in names)


def constants(node: ast.expr) -> list[str]:
    """The texts that an argument can be: one, or both of `a if b else c`."""
    if isinstance(node, ast.IfExp):
        return [*constants(node.body), *constants(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


MADE = list(made())
TEMPLATES = templates()


def asked_for(template: str) -> set[str]:
    """The names of the facts in a template."""
    return {name.partition(".")[0] for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("one", MADE, ids=lambda one: f"{one.place} {one.slug}/{one.case}")
def test_notice_made_by_the_source_has_a_template_and_its_facts(one: Made) -> None:
    """Otherwise a user would see a traceback where a message was meant."""
    template = TEMPLATES[one.slug, one.case]
    wanted = asked_for(template.text) | asked_for(template.hint or TABLE[one.slug].hint)
    assert one.has_more_facts or wanted <= one.facts


def test_every_template_belongs_to_a_row() -> None:
    """A text that nothing can show is a leftover."""
    assert TEMPLATES
    assert {slug for slug, _ in TEMPLATES} <= TABLE.keys()


def test_unknown_slug_is_refused() -> None:
    """So that docs/errors.md has a paragraph for each."""
    with pytest.raises(ValueError, match="no-such-slug"):
        notice("no-such-slug")
    with pytest.raises(ValueError, match="InputError"):
        InputError("go-failed")


def test_facts_fill_the_text_and_the_hint() -> None:
    """Both are templates."""
    one = notice("go-sum-lacks", name="go.sum", path=Path("a/go.sum"), modules=("m@v1", "n@v2"))
    assert text(one) == "go.sum has no hash of m@v1, n@v2."
    assert hint(one) == "Run `go mod tidy` and commit a/go.sum."
    assert as_warning(one).endswith("[go-sum-lacks]")
    _, next_step, link = as_error(one).splitlines()
    assert next_step == f"{hint(one)} [go-sum-lacks]"
    assert link == f"{PROJECT_URL}/blob/main/docs/errors.md#go-sum-lacks"


def test_a_brace_in_a_fact_is_no_template() -> None:
    """File names come from outside."""
    one = notice("go-sum-changed", name="{path}{0}{name.x}", path=Path("p"))
    assert text(one) == "Go changed {path}{0}{name.x}."


def test_notice_can_be_compared_and_put_into_sets() -> None:
    """Warnings that many scopes have in common are shown once."""
    one = [notice("go-sum-changed", name="go.sum", path=Path("p")) for _ in range(2)]
    assert len({*one}) == 1
    assert isinstance(one[0], Notice)


def test_many_lines_of_a_notice_are_cut() -> None:
    """A go.sum may have a thousand lines that cannot be read."""
    lines = tuple(notice("go-sum-line-ignored", source="go.sum", number=n, problem="a branch") for n in range(1, 1001))
    _, *shown, last = text(notice("go-sum-line-ignored", "lines", count=1000, lines=lines)).splitlines()
    assert [line.split(":")[1] for line in shown] == [str(number) for number in range(1, 11)]
    assert "990 more" in last


def test_attempt_that_ends_with_a_period_keeps_one() -> None:
    """More follows: the number of requests, or the end of the sentence."""
    assert attempt(FailedAttempt("https://p.test", "403 Forbidden: Not available.")).endswith("available")


def test_vendored_says_what_jobs_that_read_the_cache_need() -> None:
    said = text(notice("vendored", folder=Path("/proj")))
    assert "`for-tidy: true`" in said
    assert "GOFLAGS=-mod=mod" in said


def test_folder_outside_workspace_names_files_and_ways_out() -> None:
    tools = Path("/proj/tools")
    facts = {"definition": tools / "go.mod", "workspace": Path("/proj/go.work"), "folder": tools}
    said = as_warning(Notice("folder-outside-workspace", "", tuple(facts.items())))
    for part in ("/proj/tools/go.mod", "/proj/go.work", "GOWORK=off", "go work use /proj/tools"):
        assert part in said
