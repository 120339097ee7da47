"""Everything that can end a run or is worth a word, as one table, and the exceptions that carry its rows.

    PrefetchError                  exit status
    ├── InputError            2    an input, flag or file name the user gave is wrong
    ├── GoSumError            3    go.mod, go.work or go.sum is missing, unreadable or malformed
    ├── GoCommandError        4    go is missing, too old, or failed
    ├── DownloadError         5    modules could not be downloaded
    │   ├── ModuleNotFound         404 or 410 everywhere; never retried
    │   ├── ProxyUnavailable       every attempt at every proxy failed
    │   └── ChecksumMismatch       Go rejected it from a second source too
    ├── ApiError              1    GitHub's or GitLab's API gave no usable answer (`report`, `prune`)
    │   └── RateLimitError         it takes no more requests for a while
    ├── GateError             6    a gate of `report` was missed
    └── StoreError            -    becomes a miss or a warning; never ends a run

Ctrl-C and termination signals are KeyboardInterrupt, exit status 130. This module imports nothing of the package, so
that anything may raise anything.

A `Notice` is a row of the table with the facts of one event. It holds no sentence: `render.messages` makes the text
from the slug, the case and the facts. tools/errors_page.py makes docs/errors.md from the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Severity(Enum):
    """What an event means for the run."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Section(Enum):
    """A heading of docs/errors.md: its title, the severity and the exit status of its rows."""

    INPUT = ("Input", Severity.ERROR, 2)
    GO_FILES = ("go.mod and go.sum", Severity.ERROR, 3)
    GO = ("Go", Severity.ERROR, 4)
    DOWNLOAD = ("Download and checksum", Severity.ERROR, 5)
    FINDINGS = ("Findings", Severity.ERROR, 1)
    SYSTEM = ("System and APIs", Severity.ERROR, 1)
    GATES = ("Gates", Severity.ERROR, 6)
    STORE = ("Store", Severity.WARNING, 0)
    WARNINGS = ("Warnings", Severity.WARNING, 0)
    NOTICES = ("Notices and reasons", Severity.NOTICE, 0)

    def __init__(self, title: str, severity: Severity, exit_status: int) -> None:
        self.title = title
        self.severity = severity
        self.exit_status = exit_status


@dataclass(frozen=True)
class Row:
    """One kind of event."""

    section: Section
    meaning: str  # for docs/errors.md, in Markdown
    hint: str = ""  # what to do next: a template, see render.messages


@dataclass(frozen=True)
class Notice:
    """One event. `case` tells apart what one slug can say; `facts` fill the template of that case.

    Raises ValueError for a slug that the table does not have.
    """

    slug: str
    case: str = ""
    facts: tuple[tuple[str, object], ...] = ()
    file: Path | None = None  # the file it is about
    line: int | None = None

    def __post_init__(self) -> None:
        if self.slug not in TABLE:
            raise ValueError(f"unknown slug: {self.slug!r}")

    @property
    def severity(self) -> Severity:
        """What it means for the run."""
        return TABLE[self.slug].section.severity


def notice(
    slug: str, case: str = "", /, *, file: Path | None = None, line: int | None = None, **facts: object
) -> Notice:
    """Return the Notice of one event; `facts` are hashable values, never sentences of the package's own."""
    return Notice(slug, case, tuple(facts.items()), file, line)


def _rows(section: Section, rows: Mapping[str, tuple[str, str]]) -> dict[str, Row]:
    """Rows of one section: slug, what it means, what to do."""
    return {slug: Row(section, meaning, hint) for slug, (meaning, hint) in rows.items()}


class PrefetchError(Exception):
    """A Notice that ends what was going on. Raised with the arguments of `notice`."""

    section = Section.SYSTEM

    def __init__(self, slug: str, case: str = "", /, *, hint: str | None = None, **facts: object) -> None:
        super().__init__(slug, case, facts)
        if hint is not None:  # a text made by its caller
            case, facts = "text", {"text": case, "hint": hint}
        self.notice = Notice(slug, case, tuple(facts.items()))
        if TABLE[slug].section is not self.section:
            raise ValueError(f"{slug!r} is no {type(self).__name__}")

    @property
    def slug(self) -> str:
        """The name of this kind of event."""
        return self.notice.slug

    @property
    def exit_status(self) -> int:
        """What the process ends with."""
        return self.section.exit_status

    @property
    def message(self) -> str:
        """A text made by the caller."""
        return str(dict(self.notice.facts)["text"])

    @property
    def hint(self) -> str:
        """The same for what to do."""
        return str(dict(self.notice.facts)["hint"])


class InputError(PrefetchError):
    """An input, flag or folder the user gave is wrong."""

    section = Section.INPUT


class GoSumError(PrefetchError):
    """go.mod, go.work or go.sum is missing, unreadable or malformed."""

    section = Section.GO_FILES


class GoCommandError(PrefetchError):
    """Go is missing, too old, or failed."""

    section = Section.GO


class DownloadError(PrefetchError):
    """Modules could not be downloaded."""

    section = Section.DOWNLOAD


class ModuleNotFound(DownloadError):  # noqa: N818 - the tree above reads as sentences
    """Every proxy answered 404 or 410."""


class ProxyUnavailable(DownloadError):  # noqa: N818
    """Every attempt at every proxy failed."""


class ChecksumMismatch(DownloadError):  # noqa: N818
    """Go rejected a module's zip or go.mod from a second source too."""


class ApiError(PrefetchError):
    """GitHub's or GitLab's API gave no usable answer."""


class RateLimitError(ApiError):
    """The API takes no more requests until the moment `until` (Unix time, seconds)."""

    def __init__(self, slug: str, case: str = "", /, *, until: float, hint: str | None = None, **facts: object) -> None:
        super().__init__(slug, case, hint=hint, **facts)
        self.until = until


class GateError(PrefetchError):
    """A figure of a report is worse than was asked for."""

    section = Section.GATES


class StoreError(PrefetchError):
    """The cache store failed: a miss or a warning, never a failed run."""

    section = Section.STORE


# Slug: what it means (Markdown, for docs/errors.md), what to do (a template).
_INPUT = {
    "usage": (
        "The command line has an unknown flag or command, or lacks one. `go-prefetch --help` lists them.",
        "",
    ),
    "input-invalid": (
        "An input, flag or variable has a value that is not allowed. The message names it, its value and what is "
        "allowed.",
        "",
    ),
    "goproxy-invalid": (
        "The proxy list is empty, has an entry that is no URL, or (for `fill`) names no proxy at all. Write it as "
        "Go's GOPROXY: URLs separated by `,` or `|`, ending in `direct` or `off` if you like.",
        "",
    ),
    "folder-not-found": (
        "A line of `working-directory` is not a folder, or (for `prune`) `--pool` names none.",
        "",
    ),
    "modfile-invalid": (
        "GOFLAGS (the variable, or what `go env -w` has set) has `-modfile=FILE`, and FILE is not there, does not "
        "end in `.mod`, or meets a go.work: every go command refuses that. A FILE that Go takes is followed: the "
        "plan reads it and its `.sum`. One that is no absolute path is looked for beside go.mod, where Go is run.",
        "",
    ),
    "go-mod-not-found": (
        "There is no go.mod or go.work in a working directory, above it, or (for `.`) among the tracked files below"
        " it. git lists no repository of another user unless the CI or your configuration says that it is yours "
        "([docs/git.md](git.md)).",
        "",
    ),
    "folder-not-ours": (
        "`fill` and `docker --output` remove what the plan does not name, so they refuse a folder with other things"
        " in it, and a file. `prune --pool` refuses Go's own module cache: `go clean -modcache` empties that.",
        "",
    ),
    "folder-outside-context": (
        "`docker --dockerfile plain` copies the folder of modules from the build context, so `--output` has to name"
        " one inside.",
        "",
    ),
    "name-not-for-dockerfile": (
        "`docker --dockerfile` met a folder whose name would be read as something else in a Dockerfile: blanks part"
        " names, `$ * ? [` have a meaning, and a line's end would begin an instruction.",
        "",
    ),
    "one-module-only": (
        "`docker --dockerfile` prints one file for one module or workspace. Name it in `--working-directory`.",
        "",
    ),
    "context-not-a-folder": (
        "`docker --context` (default: the current folder) has to name the folder that a builder is given.",
        "",
    ),
    "dockerfile-unreadable": (
        "The Dockerfile or .dockerignore could not be read.",
        "",
    ),
    "dockerfile-too-large": (
        "A Dockerfile or .dockerignore that `docker` was to look at has more than a million characters, or the "
        "Dockerfile more instructions than any builder makes layers of: it was made by a program. Take it apart, or"
        " do without the check.",
        "",
    ),
    "dockerignore-malformed": (
        ".dockerignore has a line that builders refuse; the message names it.",
        "",
    ),
    "dockerignore-unwritable": (
        ".dockerignore could not be written into the build context.",
        "",
    ),
    "go-source-unreadable": (
        "A Go file may not be read: `docker --dockerfile` looks for `package main` in them.",
        "",
    ),
    "report-file-unwritable": (
        "The report could not be written where `report-file` (for `report`: `output`) says. Folders on the way are "
        "made. A device or pipe (`/dev/stdout`) may be named too; it is written to, never replaced.",
        "",
    ),
    "repository-unknown": (
        "`report` and `prune` do not know which repository is meant: no `--repo`, no CI job, and no clone with a "
        "remote called `origin`. git refuses the clone of another user ([docs/git.md](git.md)).",
        "",
    ),
    "repository-not-found": (
        'The API knows no such repository or workflow, or does not show it to this token. GitHub says "not found"'
        " for both.",
        "",
    ),
    "token-missing": (
        "There is no token for this host. GitHub: `GH_TOKEN`, `GITHUB_TOKEN`, or `gh auth login`; GitHub Enterprise"
        " Server: `GH_ENTERPRISE_TOKEN`; GitLab: `GITLAB_TOKEN`, with `GITLAB_HOST` for a host of your own. A token"
        " of one host is never sent to another.",
        "",
    ),
    "token-refused": (
        "The token is not (or no longer) good, or may not do this. `report` wants `actions: read` (GitLab: "
        "`read_api`), `prune --delete` `actions: write`.",
        "",
    ),
    "workflow-not-found": (
        "`--workflow` names no workflow of the repository. The message lists those there are.",
        "",
    ),
    "compare-at-unknown": (
        "`--compare-at` is neither a date nor a commit that the repository has.",
        "",
    ),
}

_GO_FILES = {
    "go-mod-malformed": (
        "go.mod or go.work cannot be read as Go reads it; the message names the line. An unresolved merge conflict "
        "is one cause.",
        "",
    ),
    "go-mod-unreadable": (
        "The file is there and may not be read, or is larger than any go.mod.",
        "",
    ),
    "go-work-member-missing": (
        "go.work names a folder without a go.mod.",
        "",
    ),
    "go-sum-malformed": (
        "A line of go.sum does not have three fields, or is not text. Go refuses it too: restore it, or delete it "
        "and run `go mod tidy`.",
        "",
    ),
    "go-sum-conflict": (
        "go.sum has merge conflict markers. Keep the lines of both sides, then run `go mod tidy`.",
        "",
    ),
    "go-sum-unreadable": (
        "The file is there and may not be read, or is larger than any go.sum.",
        "",
    ),
}

_GO = {
    "no-module-cache": (
        "Go does not know where modules belong: HOME, GOPATH and GOMODCACHE are unset, or GOMODCACHE is no absolute"
        " path.",
        "",
    ),
    "go-not-found": (
        "There is no `go` on PATH. `go-prefetch fill` works without.",
        "",
    ),
    "go-too-old": (
        "Go is older than 1.21.",
        "",
    ),
    "go-failed": (
        "`go mod download` or `go env` failed. Its last words are in the message; the same command says the same "
        "without go-prefetch.",
        "",
    ),
    "git-unreadable": (
        "Go asked git or ssh for a private module and git could not read the repository: this machine has no login "
        "for it (git may not ask for one in CI), or the host does not answer. Give it a token by a credential "
        "helper or netrc, `git config --global url.….insteadOf`, or an SSH key and its host in known_hosts. `git "
        "ls-remote URL` shows whether it works.",
        "",
    ),
}

_DOWNLOAD = {
    "proxy-unavailable": (
        "Files could not be downloaded after all attempts at all proxies that may be asked, and Go could not get "
        "them either. The message lists the attempts. Name another proxy, separated by `|`.",
        "",
    ),
    "module-not-found": (
        "No proxy has a file that Go needs: a wrong version, or a private module that GOPRIVATE does not cover.",
        "",
    ),
    "checksum-mismatch": (
        "A module is not what go.sum says, from a second source too. Either go.sum is wrong, or somebody changed "
        "the version after it was published. Or an unpacked module in the module cache is wrong and cannot be "
        "removed: it lay there without its zip, lies beside a zip that Go rejects, or was checked because of "
        "`check-present`. The folder to remove is named. Or it was found so by `verify`, whose status is then 1 and"
        " which removes it with `--fix`. This fails the job even with `on-failure: warn`. Do not build before you "
        "know which. A go.mod file that `go mod download` had no need of does not fail the job: a wrong one is "
        "replaced, or taken away with a warning.\n\n"
        "**Go itself ends with `verifying …: checksum mismatch` and `SECURITY ERROR`** in a job that reads a folder"
        " which `fill` or `docker --output` has filled: the folder holds a file that is not what go.sum says. "
        "Nothing wrong was built. Without Go, `fill` cannot compare files with go.sum, so one wrong file in a CI "
        "cache stops every job, in every later pipeline. Do one of these:\n\n"
        "- Run `fill` once where there is a Go 1.21 or newer, for GitLab with `image: golang:1.27` as an input of "
        "the component. It\n  replaces wrong files. If the proxies send the same wrong files, it fails with this "
        'error: then look at go.sum.\n- Clear the cache. GitLab: "Clear runner caches" on the Pipelines page, or '
        "another `cache-name`. Elsewhere: delete the folder.\n\n"
        "The log of `fill` says `verified: 128 files by go1.27.3`, or `verified: no` and why. Find out who could "
        "write to that cache: [who feeds it](gitlab.md#which-refs-feed-the-cache).",
        "",
    ),
    "go-stalled": (
        "`go mod download` did nothing for four times `stall-timeout`, as often as `attempts` says. A server it "
        "asks directly does not answer.",
        "",
    ),
    "git-stalled": (
        "git, started by Go for the module that is named, did nothing for four times `stall-timeout`, as often as "
        "`attempts` says: a dead host, a firewall that drops packets, or a helper (`GIT_ASKPASS`, a credential "
        "helper, an SSH agent) that waits for somebody. Try `git ls-remote URL` on that machine.",
        "",
    ),
    "deadline-passed": (
        "The whole run took longer than `deadline`.",
        "",
    ),
    "disk-full": (
        "There is no room for the modules.",
        "",
    ),
    "folder-unwritable": (
        "The module cache, or the folder to fill, cannot be written; or (for `prune`) files of the pool cannot be "
        "removed.",
        "",
    ),
}

_FINDINGS = {
    "proxy-unusable": (
        "`doctor` could have nothing from a proxy of the list: no whole answer to any request, only answers that "
        "are no module files, or none of the plan's modules where no other proxy of the list has any either. The "
        "message says which, and why; [doctor.md](doctor.md) says how that is measured.",
        "",
    ),
}

_SYSTEM = {
    "system-error": (
        "The system refused something that is neither a module nor the store: for example, output to a full disk.",
        "",
    ),
    "api-rate-limit": (
        "The API takes no more requests for a while and had given nothing yet. (Where it had given something, "
        "`report` shows that, and says that it is incomplete.) `--wait` waits. What was read is kept, so the next "
        "report needs fewer requests.",
        "",
    ),
    "api-unreachable": (
        "The API did not answer, or not with sense, four times in a row.",
        "",
    ),
    "api-refused": (
        "The API answered with a status that nothing can be made of.",
        "",
    ),
}

_GATES = {
    "gate-missed": (
        "A figure of the report is worse than `--min-hit-rate`, `--max-p95-seconds` or `--max-failure-rate` allows,"
        " or there was nothing to measure it by. The message has what was wanted and what was measured. See "
        "[report.md](report.md).",
        "",
    ),
}

_STORE = {
    "store-archive": (
        "A new entry for the cache service could not be made: most often the folder for temporary files (`TMPDIR`) "
        "is full.",
        "Nothing was saved. Make room in the folder for temporary files (TMPDIR).",
    ),
    "store-damaged": (
        "An entry of the cache service is gone, was exchanged while it was read, or is not what its first bytes "
        "promise. What had come of it is kept and checked by Go; the proxies take over, and a new entry is saved.",
        "The proxies take over, and a new copy is saved.",
    ),
    "store-no-room": (
        "The disk of the module cache has no room for what a store has. The zips and the trees that Go unpacks from"
        " them must fit: files that Go has not verified yet take half of the free disk at most. The zips of a cache"
        " service are stored without compression. The proxies take over.",
        "The proxies take over. Free some space, or use a larger disk.",
    ),
    "store-refused": (
        "The cache service answered with a status that no client expects.",
        "The run goes on without it. If this repeats, look at https://www.githubstatus.com or the runner's own cache "
        "server.",
    ),
    "store-slow": (
        "The store did not hand over files within `restore-deadline`, or would not at the pace it showed; or it did"
        " not take them within `save-deadline`. What had come is kept.",
        "The proxies take over for the rest.",
    ),
    "store-unreachable": (
        "The cache service did not answer, or not with sense, as often as it was asked (`attempts`).",
        "The run goes on without it. If this repeats, look at https://www.githubstatus.com or the runner's own cache "
        "server.",
    ),
    "store-unreadable": (
        "This user may not read the pool, or some of its files: another user's run has made them. The proxies take "
        "over for them. Give the users of one pool a common group, or each its own pool.",
        "Give this user read access, or name another pool.",
    ),
    "store-unwritable": (
        "The pool takes no files: permissions, a full disk, or no folder at all.",
        "The run goes on without it. Check its permissions and the room on its disk.",
    ),
}

_WARNINGS = {
    "go-sum-changed": (
        "Go changed go.mod, go.sum or a file of the workspace in this job: it added hashes that were missing.",
        "Run `go mod tidy` and commit {path}.",
    ),
    "pool-not-trimmed": (
        "Modules that the plan no longer names could not be removed from the pool. The CI keeps them with it.",
        "Check the permissions of its files.",
    ),
    "go-sum-lacks": (
        "go.sum lacks the hash of a module that Go downloaded. A later `go build` refuses that module.",
        "Run `go mod tidy` and commit {path}.",
    ),
}

_NOTICES = {
    "cache-mode": (
        "The workflow does not let this job read or write the cache.",
        "The workflow decides that. For pull requests of forks it is usual.",
    ),
    "entry-complete": ("The cache service has an entry with all files, so nothing was saved.", ""),
    "entry-taken": ("Another job saves the same modules, so this one does not.", ""),
    "entry-too-slow": ("The cache service has an entry, which could not be read in time, so nothing was saved.", ""),
    "fill-keeps-folder": ("`fill` saves nothing to a store: its folder is what the CI keeps.", ""),
    "no-cache-folder": (
        "There is no folder for the default pool.",
        "Set HOME, or name a folder by `store: dir:PATH`.",
    ),
    "no-cache-service": (
        "The runner gives its cache to actions only, not to `run:` steps.",
        "Use the action (a runner offers its cache to actions only), or a pool.",
    ),
    "nothing-to-save": ("The run brought nothing that the store lacks.", ""),
    "run-failed": ("A run that fails saves nothing.", ""),
    "save-disabled": ("`save: false` was given.", ""),
    "save-unshared": ("GitHub gives the entries of this ref to no other run, so nothing was saved.", ""),
    "store-failed": ("A warning says what was wrong with the store. Nothing was saved.", ""),
    "store-none": (
        "`store: none` was given.",
        "Remove `store: none` to keep modules between runs.",
    ),
    "store-not-allowed": ("The cache service answered that this job may not do this, or not now.", ""),
}

TABLE: Mapping[str, Row] = {
    **_rows(Section.INPUT, _INPUT),
    **_rows(Section.GO_FILES, _GO_FILES),
    **_rows(Section.GO, _GO),
    **_rows(Section.DOWNLOAD, _DOWNLOAD),
    **_rows(Section.FINDINGS, _FINDINGS),
    **_rows(Section.SYSTEM, _SYSTEM),
    **_rows(Section.GATES, _GATES),
    **_rows(Section.STORE, _STORE),
    **_rows(Section.WARNINGS, _WARNINGS),
    **_rows(Section.NOTICES, _NOTICES),
}
