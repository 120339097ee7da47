"""What Go asks besides proxies: the hosts behind `direct`, and the checksum database.

cmd/go/internal/modfetch (sumdb.go) and cmd/go/internal/vcs (vcs.go) decide what is asked where.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from go_prefetch.doctor.candidates import Candidate
from go_prefetch.doctor.measure_proxy import PUBLIC_MODULE, kind_of
from go_prefetch.doctor.measurement import Measurement
from go_prefetch.doctor.probe import BodyLimit, Probe, Reply
from go_prefetch.doctor.sampling import Limits, Target
from go_prefetch.golang.goproxy import Proxy, redact
from go_prefetch.golang.gosumdb import DEFAULT_DATABASE, ChecksumDatabase
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.web.pacing import TOO_MANY

MOST_HOSTS = 10  # of those behind `direct`, the ones with the most modules
_SERVER_ERROR = 500
_MOST_BYTES = 1 << 20
# Go knows where the repositories of these paths are, and asks with git at once.
_GIT_REPOSITORY = re.compile(r"(?:github\.com|bitbucket\.org)/[^/]+/[^/]+|[^/]+/(?:[^/]+/)*?[^/]+\.git(?=/|$)")


def left_to_direct(
    measured: Mapping[Candidate, Measurement], modules: Iterable[ModuleVersion]
) -> frozenset[ModuleVersion]:
    """Return the modules for which Go reaches the end of the list, after all of its proxies."""
    left = frozenset(modules)
    for candidate, source in measured.items():
        if candidate.role == "list":
            left &= _passed_on(candidate.proxy, source, left)
    return left


def _passed_on(proxy: Proxy, source: Measurement, modules: frozenset[ModuleVersion]) -> frozenset[ModuleVersion]:
    """Return the modules for which Go asks what follows this proxy: those that it lacks, after `|` the failed too."""
    if not proxy.on_any_error:
        return frozenset(source.lacks)
    if source.is_silent:
        return modules
    return frozenset(source.lacks) | {holding.module for holding in source.unclear}


def hosts_behind_direct(modules: Iterable[ModuleVersion]) -> tuple[Target, ...]:
    """Return a target for each host of these modules: the first request that Go or git makes there."""
    paths = sorted({module.path for module in modules}, reverse=True)
    first = {path.partition("/")[0]: path for path in paths}
    counts = Counter(path.partition("/")[0] for path in reversed(paths))
    return tuple(
        Target(f"https://{host}", "direct", (_first_request(first[host]),), _MOST_BYTES, _problem_of_host)
        for host, _ in counts.most_common(MOST_HOSTS)
    )


def _first_request(path: str) -> str:
    known = _GIT_REPOSITORY.match(path)
    return f"https://{known[0]}/info/refs?service=git-upload-pack" if known else f"https://{path}?go-get=1"


def _problem_of_host(reply: Reply) -> str:
    """Return an error of the server. A refusal is none: the login is the business of Go and git."""
    return reply.sample.failure if reply.status == TOO_MANY or reply.status >= _SERVER_ERROR else ""


def checksum_database(
    database: ChecksumDatabase, proxies: Sequence[Proxy], probe: Probe, limits: Limits
) -> Target | None:
    """Return the target for the checksum database, where Go would ask it; None if that is a folder.

    The first proxy of the list that mirrors the database gets all requests for it. A URL in GOSUMDB goes before.
    """
    name = database.name
    base = database.url or _mirror_at_proxy(name, proxies, probe, limits) or f"https://{name}"
    if base.startswith("file:"):
        return None
    path = ModuleFile(PUBLIC_MODULE, "info").url_path.partition("/@v/")[0]
    lookup = f"{base}/lookup/{path}@{PUBLIC_MODULE.version}"
    problem_of = _problem_of_database if name == DEFAULT_DATABASE else _problem_of_other_database
    return Target(redact(base), "checksums", (lookup,), _MOST_BYTES, problem_of)


def _mirror_at_proxy(name: str, proxies: Sequence[Proxy], probe: Probe, limits: Limits) -> str:
    """Return where a proxy mirrors the database; empty if none does. An error of a proxy before `,` counts as yes."""
    for proxy in proxies:
        if proxy.url.startswith("file:"):
            continue
        base = f"{proxy.url}/sumdb/{name}"
        reply = probe.get(f"{base}/supported", BodyLimit(1, limits.stall_timeout), limits.deadline)
        works = reply.status == 200 and not reply.sample.failure
        if works or not (reply.not_found or proxy.on_any_error):
            return base
    return ""


def _problem_of_database(reply: Reply) -> str:
    if reply.not_found:
        return f"{reply.status} for a module that it has"
    return _problem_of_other_database(reply)


def _problem_of_other_database(reply: Reply) -> str:
    """Return why an answer is not that of a checksum database. A company's may lack public modules."""
    if reply.sample.failure or reply.not_found:
        return reply.sample.failure
    return "" if b"go.sum database tree\n" in reply.body else f"200, but no record of a module: {kind_of(reply.body)}"
