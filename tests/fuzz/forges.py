"""What forges and runners say: JSON of their APIs, events, logs with records. And what is printed for them."""

from __future__ import annotations

import contextlib
import io
import json
import re

import cmarkgfm
from actions_toolkit import command
from cmarkgfm.cmark import Options

from go_prefetch.base import untrusted_json
from go_prefetch.base.git_index import _entries
from go_prefetch.base.redaction import CONTROL
from go_prefetch.config.choices import When
from go_prefetch.forge.access import _REMOTE
from go_prefetch.history.cache import RunCache
from go_prefetch.history.github import _shorten
from go_prefetch.history.gitlab import parse_pipeline
from go_prefetch.history.logs import LogError, lines_in_text, lines_in_zip
from go_prefetch.model.ci_job import job_name
from go_prefetch.platforms.console import Loudness
from go_prefetch.platforms.github import GitHub, without_commands
from go_prefetch.prune.entries import own_entries, parse_listed
from go_prefetch.render import escape
from go_prefetch.render.record import PREFIX, parse_record
from go_prefetch.stores.objects.login_files import aws_profile, connection_string, google_kind
from go_prefetch.stores.objects.writers import pool_not_saved_because
from tests.fuzz.target import scratch, target, text_of

_RUN = parse_pipeline({"id": 7, "status": "success", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01"})


@target("base.untrusted_json")
def json_text(data: bytes) -> None:
    """None, or a value of limited depth, whose texts and numbers are within limits."""
    value = untrusted_json.parse(data)
    json.dumps(value)
    list(untrusted_json.parse_objects(text_of(data)))
    for name in ("id", "created_at", "name"):
        untrusted_json.text(value, name).encode()
        assert 0 <= untrusted_json.integer(value, name) <= 1 << 53
        moment = untrusted_json.moment(value, name)
        assert moment is None or moment.tzinfo is not None
    list(untrusted_json.objects(value))
    moment = untrusted_json.parse_moment(text_of(data))
    assert moment is None or moment.tzinfo is not None
    untrusted_json.as_number(value)


@target("history.gitlab", "history.github", "prune.entries")
def forge_answer(data: bytes) -> None:
    """A run, a pipeline or an entry of a forge's list: None, or values that the report can show."""
    values = untrusted_json.parse(data)
    run = parse_pipeline(values)
    assert run is None or run.id > 0
    if isinstance(values, dict):
        json.dumps(_shorten(values))
    listed = parse_listed(values)
    if listed:
        assert listed.id > 0
        assert len(own_entries([listed])) <= 1


@target("history.logs", "render.record")
def log_of_job(data: bytes) -> None:
    """A log: LogError, or lines with a record. A record is the same when it is read again."""
    with contextlib.suppress(LogError):
        for line in lines_in_text(io.BytesIO(data), 1 << 20):
            assert parse_record(line)
    parse_record(text_of(data))
    parse_record(f"{PREFIX} {text_of(data)}")


@target("history.logs")
def zip_of_logs(data: bytes) -> None:
    """The zip of a run's logs: LogError, or lines with a record, and no more text than allowed."""
    with scratch() as folder:
        path = folder / "logs"
        path.write_bytes(data)
        with contextlib.suppress(LogError):
            for job, line in lines_in_zip(path, 1 << 20):
                assert len(job) <= 200
                assert "\n" not in job
                assert parse_record(line)


@target("history.cache")
def cached_history(data: bytes) -> None:
    """The history that an earlier report kept: absent, or a run with its records."""
    assert _RUN
    with scratch() as folder:
        cache = RunCache(folder, "gitlab.example", "group/project")
        (place,) = [folder / "gitlab%2Eexample" / "group%2Fproject"]
        place.mkdir(parents=True)
        (place / f"{_RUN.id}.{_RUN.attempt}.json").write_bytes(data)
        cache.load(_RUN)


@target("model.ci_job", "platforms.github", "stores.objects.writers")
def event_of_runner(data: bytes) -> None:
    """The event and the matrix of a job, of which a stranger chooses a part: no error, and no reason to save."""
    job_name("", {"GITHUB_JOB": "build"}, text_of(data))
    with scratch() as folder:
        path = folder / "event.json"
        path.write_bytes(data)
        _ = GitHub(io.StringIO(), Loudness(), str(path)).repository_is_private
        on_fork = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/1/merge"}
        assert pool_not_saved_because(When.AUTO, {**on_fork, "GITHUB_EVENT_PATH": str(path)})


@target("stores.objects.login_files")
def login_file(data: bytes) -> None:
    """Files with logins: none, or one that is used. They may be those of another tool."""
    with scratch() as folder:
        path = folder / "credentials"
        path.write_bytes(data)
        aws_profile({"AWS_CONFIG_FILE": str(path), "AWS_SHARED_CREDENTIALS_FILE": str(path), "HOME": str(folder)})
        google_kind({"GOOGLE_APPLICATION_CREDENTIALS": str(path), "HOME": str(folder)})
    connection_string(text_of(data))


@target("platforms.console", "platforms.github")
def printed_text(data: bytes) -> None:
    """Foreign text in the log of a GitHub job: no command but ours, and no character that controls a terminal."""
    text = text_of(data)
    log = io.StringIO()
    platform = GitHub(log, Loudness(verbose=True), "")
    platform.line(text)
    platform.detail(text)
    platform.show(text, log)
    platform.fold(text, [text, text])
    ours = re.compile(r"::group::.*|::endgroup::")
    for line in log.getvalue().split("\n"):
        if ours.fullmatch(line):
            continue
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line
        assert not CONTROL.search(line)
    assert not any(line.lstrip().startswith("::") for line in without_commands(text).split("\n"))
    issued = io.StringIO()
    with contextlib.redirect_stdout(issued):
        command.issue_command("warning", {"title": text}, text)
    assert issued.getvalue().count("\n") == 1


@target("render.escape")
def markdown_text(data: bytes) -> None:
    """Foreign text in a job summary: words and code, one cell of a table, and no link, picture or HTML of its own."""
    text = text_of(data)
    assert _tags(escape.prose(text)) <= {"p", "code", "ul", "ol", "li"}
    assert _tags(escape.fenced(text)) == {"pre", "code"}
    row = f"| a | b |\n|---|---|\n| {escape.cell(escape.prose(text))} | {escape.cell(escape.code(text))} |"
    html = cmarkgfm.github_flavored_markdown_to_html(row, Options.CMARK_OPT_UNSAFE)
    assert _tags(row) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert html.count("<td>") == 2


def _tags(markdown: str) -> set[str]:
    html = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return set(re.findall(r"<(\w+)", html))


@target("forge.access")
def remote_of_git(data: bytes) -> None:
    """The URL of a remote that a checkout names: none, or a host and a name."""
    found = _REMOTE.fullmatch(text_of(data))
    assert found is None or (found[1] and found[2])


@target("base.git_index")
def index_listing(data: bytes) -> None:
    """What git lists of a foreign repository: names that stay inside of it, and out of `.git`."""
    for _, _, _, name in _entries(data):
        assert not name.startswith("/")
        assert ".." not in name.split("/")
        assert ".git" not in [part.lower() for part in name.split("/")]
