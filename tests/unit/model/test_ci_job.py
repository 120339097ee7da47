"""What the variables of the CI say of a job."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.model.ci_job import is_for_a_tag, job_name

CI = {
    "GITHUB_WORKFLOW_REF": "octo/repo/.github/workflows/ci.yml@refs/heads/main",
    "GITHUB_WORKFLOW": "CI",
    "GITHUB_JOB": "test",
}
RACE = '{\n  "os": "linux",\n  "race": true\n}'


@pytest.mark.parametrize(
    ("environ", "matrix", "name"),
    [
        (CI, "", '[".github/workflows/ci.yml","test"]'),
        (CI, "null", '[".github/workflows/ci.yml","test"]'),
        (CI, "{}", '[".github/workflows/ci.yml","test"]'),
        (CI, "${{ toJSON(matrix) }}", '[".github/workflows/ci.yml","test"]'),
        (CI, RACE, '[".github/workflows/ci.yml","test",{"os":"linux","race":true}]'),
        ({**CI, "GITHUB_WORKFLOW_REF": ""}, "", '["CI","test"]'),
        ({"GITHUB_JOB": "test"}, "", '["","test"]'),
        ({"GITHUB_JOB": "\udcff"}, "", '["","\\udcff"]'),
        ({"CI_JOB_NAME": "test: [linux, race]"}, "", '["test: [linux, race]"]'),
        ({}, RACE, ""),
    ],
)
def test_a_job_has_workflow_job_and_leg(environ: dict[str, str], matrix: str, name: str) -> None:
    assert job_name("", environ, matrix) == name


def test_a_name_that_the_user_gave_is_the_name() -> None:
    assert job_name("lint and test", CI, RACE) == "lint and test"


@pytest.mark.parametrize("ref", ["refs/heads/feature@2", "refs/pull/7/merge", "refs/tags/v1", "0" * 40])
def test_the_name_is_equal_on_all_refs_and_in_forks(ref: str) -> None:
    other = {**CI, "GITHUB_WORKFLOW_REF": f"fork/renamed/.github/workflows/ci.yml@{ref}"}
    assert job_name("", other, "") == job_name("", CI, "")


@pytest.mark.parametrize(
    "other",
    [
        {**CI, "GITHUB_JOB": "lint"},
        {**CI, "GITHUB_WORKFLOW_REF": "octo/repo/.github/workflows/nightly.yml@refs/heads/main"},
    ],
)
def test_other_jobs_have_other_names(other: dict[str, str]) -> None:
    assert job_name("", other, RACE) != job_name("", CI, RACE)


LEG = st.dictionaries(
    st.text(max_size=5), st.text(max_size=5) | st.booleans() | st.integers(0, 9), min_size=1, max_size=4
)


@given(LEG, LEG)
def test_names_differ_exactly_as_legs_differ(one: dict[str, object], two: dict[str, object]) -> None:
    """However the runner writes them down: in any order, on one line or more."""
    backwards = dict(reversed(one.items()))
    assert job_name("", CI, json.dumps(one)) == job_name("", CI, json.dumps(backwards, indent=2))
    same = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    assert (job_name("", CI, json.dumps(one)) == job_name("", CI, json.dumps(two))) == same


@given(st.text())
def test_any_text_is_a_leg(text: str) -> None:
    assert job_name("", CI, text).startswith('[".github/workflows/ci.yml","test"')


@pytest.mark.parametrize(
    ("environ", "is_tag"),
    [
        ({"GITHUB_REF_TYPE": "tag", "GITHUB_REF": "refs/tags/v1"}, True),
        ({"GITHUB_REF": "refs/tags/v1"}, True),
        ({"CI_COMMIT_TAG": "v1"}, True),
        ({"GITHUB_REF_TYPE": "branch", "GITHUB_REF": "refs/heads/tags/v1"}, False),
        ({"CI_COMMIT_BRANCH": "main"}, False),
        ({}, False),
    ],
)
def test_a_tag_is_known(environ: dict[str, str], is_tag: bool) -> None:
    assert is_for_a_tag(environ) == is_tag
