"""Which cache service a runner offers, and what this run may do with it."""

from __future__ import annotations

import pytest

from go_prefetch.errors import Notice, notice
from go_prefetch.stores.cache_service.endpoint import find_endpoint, not_offered

HOSTED = {
    "ACTIONS_CACHE_SERVICE_V2": "True",
    "ACTIONS_RESULTS_URL": "https://results.example/",
    "ACTIONS_RUNTIME_TOKEN": "secret-token",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "2",
}
TOKENLESS = {name: value for name, value in HOSTED.items() if name != "ACTIONS_RUNTIME_TOKEN"}
STEP = {"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "github-hosted"}
ACT = {"ACTIONS_CACHE_URL": "http://127.0.0.1:4000/0123456789abcdef0123456789abcdef/", "GITHUB_RUN_ID": "1"}
FORGEJO = {
    "ACTIONS_CACHE_URL": "http://10.0.0.1:4000/7/",
    "ACTIONS_RESULTS_URL": "https://forge.example",
    "ACTIONS_RUNTIME_TOKEN": "t",
}


@pytest.mark.parametrize(
    ("environ", "protocol", "url"),
    [
        (HOSTED, "v2", HOSTED["ACTIONS_RESULTS_URL"]),
        (HOSTED | {"ACTIONS_CACHE_URL": "https://old.example/"}, "v2", HOSTED["ACTIONS_RESULTS_URL"]),
        (ACT, "v1", ACT["ACTIONS_CACHE_URL"]),
        (FORGEJO, "v1", FORGEJO["ACTIONS_CACHE_URL"]),
        (FORGEJO | {"ACTIONS_CACHE_SERVICE_V2": ""}, "v1", FORGEJO["ACTIONS_CACHE_URL"]),
    ],
)
def test_protocol_and_address(environ: dict[str, str], protocol: str, url: str) -> None:
    endpoint = find_endpoint(environ)
    assert endpoint is not None
    assert (endpoint.protocol, endpoint.url) == (protocol, url)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"ACTIONS_RESULTS_URL": "https://forge.example", "ACTIONS_RUNTIME_TOKEN": "t"},
        TOKENLESS,
        {"ACTIONS_CACHE_SERVICE_V2": "True"},
        TOKENLESS | {"ACTIONS_CACHE_URL": "https://old.example/"},
        STEP | {"ACTIONS_CACHE_URL": "https://old.example/"},
    ],
)
def test_no_service(environ: dict[str, str]) -> None:
    assert find_endpoint(environ) is None


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, None),
        (ACT, None),
        ({"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "self-hosted"}, None),
        (STEP, notice("no-cache-service")),
        (STEP | {"ACTIONS_RESULTS_URL": "https://results.example/"}, notice("no-cache-service", "token")),
        (STEP | {"ACTIONS_CACHE_URL": "https://old.example/"}, notice("no-cache-service", "token")),
        (TOKENLESS, notice("no-cache-service", "token")),
    ],
)
def test_not_offered_names_the_cause(environ: dict[str, str], reason: Notice | None) -> None:
    """A machine that keeps its disk needs no cache service, and act needs no token."""
    assert not_offered(environ) == reason


@pytest.mark.parametrize(
    ("mode", "reads", "writes"),
    [
        ("", True, True),
        ("write", True, True),
        ("read", True, False),
        (" Write-Only\n", False, True),
        ("none", False, False),
        ("of-the-future", True, True),
    ],
)
def test_cache_mode(mode: str, reads: bool, writes: bool) -> None:
    endpoint = find_endpoint(HOSTED | {"ACTIONS_CACHE_MODE": mode})
    assert endpoint is not None
    assert (endpoint.may_read, endpoint.may_write) == (reads, writes)


@pytest.mark.parametrize(
    ("variables", "case"),
    [
        (
            {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-1-abc"},
            "merge-queue",
        ),
        ({"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/tags/v1"}, "tag"),
        ({"GITHUB_EVENT_NAME": "release", "GITHUB_REF_TYPE": "tag"}, "tag"),
        ({"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main", "GITHUB_REF_TYPE": "branch"}, ""),
        ({"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/7/merge"}, ""),
    ],
)
def test_what_nobody_else_could_read(variables: dict[str, str], case: str) -> None:
    endpoint = find_endpoint(HOSTED | variables)
    assert endpoint is not None
    assert endpoint.unshared_reason == (notice("save-unshared", case) if case else None)


@pytest.mark.parametrize(
    ("variables", "run"),
    [({}, "77.2"), ({"GITHUB_RUN_ATTEMPT": ""}, "77.0"), ({"GITHUB_RUN_ID": "7/../x"}, "0.2")],
)
def test_run(variables: dict[str, str], run: str) -> None:
    endpoint = find_endpoint(HOSTED | variables)
    assert endpoint is not None
    assert endpoint.run == run


def test_secrets_are_known_and_not_shown() -> None:
    """On act and Forgejo a part of the address is the credential."""
    hosted, act = find_endpoint(HOSTED), find_endpoint(ACT)
    assert hosted is not None
    assert act is not None
    assert hosted.secrets == {"secret-token"}
    assert act.secrets == {"0123456789abcdef0123456789abcdef"}
    assert "secret-token" not in repr(hosted)
    assert "0123456789abcdef" not in repr(act)
