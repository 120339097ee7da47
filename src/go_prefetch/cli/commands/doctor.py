"""`go-prefetch doctor`: measure every proxy and the store, check settings, recommend a proxy list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO, cast

from go_prefetch.base.retry import Deadline
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import DiagnosisFormat
from go_prefetch.config.command_inputs import DOCTOR
from go_prefetch.config.settings import Settings
from go_prefetch.doctor.candidates import Candidate, candidates, parse_also
from go_prefetch.doctor.diagnosis import Diagnosis, Extent, diagnose
from go_prefetch.doctor.facts import Facts, ask_go, collect_facts
from go_prefetch.doctor.findings import findings
from go_prefetch.doctor.measure_all import Examination
from go_prefetch.doctor.measure_hosts import checksum_database, hosts_behind_direct, left_to_direct
from go_prefetch.doctor.measure_proxy import PUBLIC_MODULE
from go_prefetch.doctor.measure_store import measure_folder, measure_pool, measure_service
from go_prefetch.doctor.measurement import Measurement
from go_prefetch.doctor.probe import Probe
from go_prefetch.doctor.render import diagnosis_json, diagnosis_markdown, diagnosis_text
from go_prefetch.doctor.repository_caches import cache_findings, repository_caches
from go_prefetch.doctor.sampling import Limits, Target
from go_prefetch.errors import InputError, Notice, PrefetchError, StoreError, notice
from go_prefetch.golang.command import GO_DEFAULT_PROXIES
from go_prefetch.golang.goproxy import ProxyList, redact_list, secrets_of
from go_prefetch.golang.gosumdb import ChecksumDatabase, parse_gosumdb
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.golang.module import ModuleVersion, matches_prefix_patterns
from go_prefetch.model.cache_key import cache_key
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Platform, Wanted
from go_prefetch.render.messages import reason
from go_prefetch.run.shared_pool import shared_pool, storage
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.run.wiring import NullStore, cache_store, proxy_list
from go_prefetch.stores.cache_service.endpoint import find_endpoint
from go_prefetch.stores.directory_pool import DirectoryPool
from go_prefetch.web.in_flight import Timeouts

_WRONG_FOLDER = ("folder-not-found", "go-mod-not-found")
_NO_KEY = cache_key("", ())


@dataclass(frozen=True)
class _Subject:
    """What is measured, and what the checks look at."""

    proxies: ProxyList
    plan: Plan | None
    facts: Facts
    modules: tuple[ModuleVersion, ...]  # of the plan, that may be requested from a proxy
    cloned: tuple[ModuleVersion, ...]  # of the plan, that Go never requests from a proxy
    database: ChecksumDatabase | None  # that Go may ask
    goauth: str = field(repr=False)


def doctor(invocation: Invocation) -> int:
    """Print the diagnosis. Exit status 1 where a proxy of the list brings nothing. Raises InputError for bad flags."""
    settings, platform, environ = invocation.settings(), invocation.platform, invocation.environ
    own = invocation.values(DOCTOR)
    also, samples = cast(Sequence[str], own["also"]), cast(int, own["samples"])
    seconds = cast(float, own["watch"] or 0.0)
    platform.hide(frozenset().union(*map(secrets_of, also)))
    named = [parse_also(url) for url in also]
    limits = Limits(samples, settings.jobs.least, settings.stall_timeout, Deadline.after(settings.deadline))
    subject = _subject(settings, platform, environ)
    hosts = subject.proxies.named_hosts | ProxyList(tuple(named), "").named_hosts
    web = replace(settings.web.with_goauth(subject.goauth), named_hosts=hosts)
    probe = Probe(web, Timeouts(settings.connect_timeout, settings.stall_timeout))
    order = candidates(subject.proxies, named)
    with platform.working("Doctor") as meter:
        examination = Examination(probe, subject.modules, limits, meter.say)
        measured = examination.measure(order)
        store, left_out = _store(settings, environ, subject, examination)
        targets = _other_hosts(subject, examination, measured)
        others = examination.measure_hosts(targets)
        meter.say("the caches of the repository: listing")
        caches, caches_left_out = repository_caches(environ, settings.cwd, limits.deadline, platform)
        series = examination.watch((*examination.targets_of(order), *targets), seconds) if seconds else None
    private = len(subject.facts.modules) - len(subject.modules)
    diagnosis = diagnose(
        subject.proxies, [(one, measured[one]) for one in order], [*([store] if store else []), *others],
        (*findings(subject.facts), *cache_findings(caches)),
        Extent(len(subject.modules), private, limits.samples, series),
        store_left_out=left_out, written=redact_list(subject.facts.goproxy),
    )  # fmt: skip
    diagnosis = replace(diagnosis, caches=caches, caches_left_out=reason(caches_left_out))
    _show(diagnosis, invocation, summary=settings.summary)
    return _verdict(diagnosis, platform, subject.facts.goproxy_problem)


def _subject(settings: Settings, platform: Platform, environ: Mapping[str, str]) -> _Subject:
    """Read the settings and the plan. Findings name what is wrong with them.

    Raises InputError for a `working-directory` that does not exist or has no module.
    """
    go = ask_go(settings, environ)
    environment = go.environment
    platform.hide(secrets_of(environment.goproxy))
    proxies, goproxy_problem = ProxyList((), ""), None
    try:
        proxies = proxy_list(settings, environment.goproxy or GO_DEFAULT_PROXIES)
    except InputError as error:
        goproxy_problem = error.notice
    plan, plan_problem = None, None
    try:
        plan = make_plan(settings, environment, ModuleFolder.of_cache(environment.gomodcache))
    except PrefetchError as error:
        if error.slug in _WRONG_FOLDER and settings.working_directory != (".",):
            raise
        plan_problem = error.notice
    facts = collect_facts(settings, environ, go, plan, plan_problem=plan_problem, goproxy_problem=goproxy_problem)
    private = f"{environment.goprivate},{environment.gonoproxy}"
    planned = plan.modules if plan else ()
    askable = tuple(version for version in planned if not matches_prefix_patterns(private, version.path))
    cloned = tuple(version for version in planned if environment.is_left_to_go(version.path))
    database = _database(facts, proxies, plan, environment.gonosumdb)
    return _Subject(proxies, plan, facts, askable, cloned, database, environment.goauth)


def _database(facts: Facts, proxies: ProxyList, plan: Plan | None, gonosumdb: str) -> ChecksumDatabase | None:
    """Return the checksum database that Go may ask; None for a malformed one, and if Go asks none."""
    paths = [version.path for version in plan.modules] if plan and plan.modules else [PUBLIC_MODULE.path]
    vendored = bool(facts.definitions) and all(definition.is_vendored for definition in facts.definitions)
    unchecked = vendored or all(matches_prefix_patterns(gonosumdb, path) for path in paths)
    if (unchecked and not (plan and plan.toolchains)) or not (proxies.proxies or proxies.ending == "direct"):
        return None
    with suppress(ValueError):
        return parse_gosumdb(facts.variables.get("GOSUMDB", ""))
    return None


def _other_hosts(
    subject: _Subject, examination: Examination, measured: Mapping[Candidate, Measurement]
) -> tuple[Target, ...]:
    """Return what Go asks besides proxies: hosts behind `direct`, and the checksum database."""
    direct = subject.proxies.ending == "direct"
    cloned = {*subject.cloned, *(left_to_direct(measured, subject.modules) if direct else ())}
    probe, limits, database = examination.probe, examination.limits, subject.database
    place = checksum_database(database, subject.proxies.proxies, probe, limits) if database else None
    return (*hosts_behind_direct(cloned), *([place] if place else []))


def _store(
    settings: Settings, environ: Mapping[str, str], subject: _Subject, examination: Examination
) -> tuple[Measurement | None, str]:
    """Measure the store. The text says why there is no measurement."""
    endpoint = find_endpoint(environ)
    limits = replace(examination.limits, deadline=examination.limits.deadline.earlier_of(settings.restore_deadline))
    if settings.store.url:
        return _shared_pool(settings, environ, subject, examination, limits)
    store = cache_store(settings, subject.proxies, endpoint, environ)
    examination.progress(f"{store.name}: measuring")
    if isinstance(store, DirectoryPool):
        return measure_folder(store.name, "store", store.root, examination.modules, limits.samples, limits.deadline), ""
    if isinstance(store, NullStore) or endpoint is None:
        nothing = Wanted(_NO_KEY, (), ModuleFolder.at(Path()))
        return None, reason(store.restore(nothing, limits.deadline, lambda _: None).skipped_reason)
    if subject.plan is None:
        return None, "there is no plan, and so no key to look for"
    return measure_service(store, endpoint.url, examination.probe, subject.plan.key, examination.modules, limits), ""


def _shared_pool(
    settings: Settings, environ: Mapping[str, str], subject: _Subject, examination: Examination, limits: Limits
) -> tuple[Measurement | None, str]:
    """Measure the pool at a URL, as `_store` does. A folder in front of it is not asked."""
    if subject.plan is None:
        return None, "there is no plan, and so no key to look for"
    examination.progress(f"{settings.store.url}: measuring")
    try:
        objects = storage(settings, environ)
    except StoreError as error:
        return None, reason(error.notice)
    store = shared_pool(settings, subject.proxies, environ)
    return measure_pool(store, objects, subject.plan.key, examination.modules, limits), ""


def _show(diagnosis: Diagnosis, invocation: Invocation, *, summary: bool) -> None:
    platform, stdout = invocation.platform, invocation.stdout
    form = invocation.values(DOCTOR)["format"]
    if form is DiagnosisFormat.JSON:
        text = diagnosis_json(diagnosis, platform.clean)
    elif form is DiagnosisFormat.MARKDOWN:
        text = diagnosis_markdown(diagnosis)
    else:
        text = diagnosis_text(diagnosis, _block(stdout), invocation.width)
    platform.show(text, stdout)
    if summary:
        platform.publish({}, diagnosis_markdown(diagnosis))


def _block(stdout: TextIO) -> str:
    """Return what bars are made of: a block where the output's encoding has one."""
    try:
        "█".encode(stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return "#"
    return "█"


def _verdict(diagnosis: Diagnosis, platform: Platform, goproxy_problem: Notice | None) -> int:
    for row in diagnosis.unusable:
        platform.error(notice("proxy-unusable", name=row.measurement.name, words=row.rating.why))
    if goproxy_problem:
        platform.error(goproxy_problem)
    return 1 if diagnosis.unusable or goproxy_problem else 0
