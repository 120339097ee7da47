"""What the variables of the CI say of a job: whether there is a CI, its name, and what it runs for."""

from __future__ import annotations

import json
from collections.abc import Mapping

from go_prefetch.base.untrusted_json import parse

LARGEST_EVENT = 32 << 20  # bytes of the file at GITHUB_EVENT_PATH; GitHub sends 25 MB at most
_NOT_CI = ("", "0", "false")  # values of CI on the machine of a person


def in_ci(environ: Mapping[str, str]) -> bool:
    """Return whether a CI system runs this, as the variable CI says on all of them."""
    return environ.get("CI", "").lower() not in _NOT_CI or environ.get("GITHUB_ACTIONS") == "true"


def job_name(given: str, environ: Mapping[str, str], matrix: str) -> str:
    """Return the name that the user gave, or else workflow, job and `matrix`, the leg of its matrix as JSON.

    Return "" where neither the user nor the CI names the job. It is a text to be hashed, and no name of a file. All
    legs of a GitHub matrix have one GITHUB_JOB. GitLab's CI_JOB_NAME has the variables of a leg of `parallel: matrix`.
    """
    if given:
        return given
    if environ.get("GITHUB_JOB"):
        return _as_json([_workflow(environ), environ["GITHUB_JOB"], *_leg(matrix)])
    if environ.get("CI_JOB_NAME"):
        return _as_json([environ["CI_JOB_NAME"]])
    return ""


def is_for_a_tag(environ: Mapping[str, str]) -> bool:
    """Return whether the job runs for a tag, on GitHub or GitLab."""
    is_tag = environ.get("GITHUB_REF_TYPE") == "tag" or environ.get("GITHUB_REF", "").startswith("refs/tags/")
    return is_tag or bool(environ.get("CI_COMMIT_TAG"))


def _workflow(environ: Mapping[str, str]) -> str:
    """Return the file of the workflow, or else its name, which other workflows may have too.

    GITHUB_WORKFLOW_REF is OWNER/NAME/.github/workflows/FILE@REF. The ref is that of the branch, and owner and name may
    change.
    """
    path = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    return path.split("/", 2)[-1] or environ.get("GITHUB_WORKFLOW", "")


def _leg(matrix: str) -> list[object]:
    """Return the leg; nothing for a job without a matrix, whose JSON is `null` or `{}`."""
    leg = parse(matrix)
    return [leg] if leg else []


def _as_json(value: list[object]) -> str:
    """Return a text that does not depend on the order of keys. It is ASCII, whatever bytes the environment had."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
