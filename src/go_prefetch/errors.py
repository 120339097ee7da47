"""The table of everything that ends a run or is reported, and the exceptions that carry its rows.

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
from the slug, the case and the facts. tools/errors_page.py keeps docs/errors.md to the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path


class Severity(Enum):
    """The effect of an event on the run."""

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
    hint: str  # what to do next; empty where nothing is to be done


@dataclass(frozen=True)
class Notice:
    """One event. `case` distinguishes the events of one slug; `facts` fill the template of that case.

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
        """Return the effect on the run."""
        return TABLE[self.slug].section.severity


def notice(
    slug: str, case: str = "", /, *, file: Path | None = None, line: int | None = None, **facts: object
) -> Notice:
    """Return the Notice of one event; `facts` are hashable values, never sentences of the package's own."""
    return Notice(slug, case, tuple(facts.items()), file, line)


def _rows(section: Section, hints: Mapping[str, str]) -> dict[str, Row]:
    """Return the rows of one section, from its hints by slug."""
    return {slug: Row(section, hint) for slug, hint in hints.items()}


class PrefetchError(Exception):
    """A Notice that ends an operation. Raised with the arguments of `notice`."""

    section = Section.SYSTEM

    def __init__(self, slug: str, case: str = "", /, **facts: object) -> None:
        super().__init__(slug, case, facts)
        self.notice = Notice(slug, case, tuple(facts.items()))
        if TABLE[slug].section is not self.section:
            raise ValueError(f"{slug!r} is no {type(self).__name__}")

    def about(self, file: Path) -> PrefetchError:
        """Return this error, which is about that file."""
        self.notice = replace(self.notice, file=file)
        return self

    @property
    def slug(self) -> str:
        """Return the name of this kind of event."""
        return self.notice.slug

    @property
    def exit_status(self) -> int:
        """Return the exit status of the process."""
        return self.section.exit_status

    @property
    def go_stderr(self) -> str:
        """Return the output of Go and git about this error or its cause; empty if there is none."""
        facts = dict(self.notice.facts)
        while isinstance(cause := facts.get("cause"), Notice):
            facts = dict(cause.facts)
        return str(facts.get("stderr", ""))


class InputError(PrefetchError):
    """An input, flag or folder of the user is wrong."""

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
    """The API takes no more requests until `until` (Unix time, seconds)."""

    def __init__(self, slug: str, case: str = "", /, *, until: float, **facts: object) -> None:
        super().__init__(slug, case, **facts)
        self.until = until


class GateError(PrefetchError):
    """A figure of a report missed its gate."""

    section = Section.GATES


class StoreError(PrefetchError):
    """The cache store failed: a miss or a warning, never a failed run."""

    section = Section.STORE


# Slug: what to do next. A template, filled with the facts of the notice; see render.texts.
_INPUT = {
    "usage": "See `{program} --help`.",
    "input-invalid": "Allowed: {allowed}.",
    "goproxy-invalid": (
        "Write URLs separated by `,` or `|`, as in Go's GOPROXY. The list may end in `direct` or `off`. "
        "Example: https://proxy.golang.org,direct"
    ),
    "folder-not-found": ("Name folders with a go.mod or go.work, one per line, relative to the folder of the job."),
    "modfile-invalid": (
        "Every go command fails here. `go env GOFLAGS` prints the flags, `go env -u GOFLAGS` undoes `-w`."
    ),
    "go-mod-not-found": (
        "Name the folders with a go.mod or go.work in the input working-directory (`-C`), one per line. Globs are "
        "allowed."
    ),
    "folder-not-ours": (
        "Name a new or empty folder, or one that was filled before. Files that are not in the plan are removed."
    ),
    "folder-outside-context": "Name a folder inside the context. Builders without named contexts copy it from there.",
    "name-not-for-dockerfile": "Rename it. Blanks, quotes and $ * ? [ ] are not allowed.",
    "one-module-only": "Name one folder in --working-directory.",
    "context-not-a-folder": "Name the folder of the build context in --context.",
    "dockerfile-unreadable": "Name a Dockerfile. Its build context is the current folder, or --context.",
    "dockerfile-too-large": "Split it, or run without --check.",
    "dockerignore-malformed": "Correct this line. No builder accepts it.",
    "dockerignore-hides-build": "Remove the pattern that excludes it, or add a line with `!` and the path after it.",
    "folder-not-in-image": "Name the folder by a relative path, and make sure that it has a go.mod.",
    "dockerignore-unwritable": "Name the build context with --context.",
    "go-source-unreadable": "Make the Go files readable. go-prefetch looks for main packages in them.",
    "pool-unknown": "Set HOME, or name a folder with `store: dir:PATH`.",
    "report-file-unwritable": "Name a writable file, for example one in the working directory.",
    "repository-unknown": "Pass `--repo OWNER/NAME`, or run inside a clone that has an `origin` remote.",
    "repository-not-found": "Check --repo, --workflow, --api-url and the permissions of the token.",
    "token-missing": "Set a token for this host.",
    "github-client-missing": "Run it from the package on PyPI: `uvx go-prefetch` or `pipx run go-prefetch`.",
    "token-refused": (
        "Check that the token is valid and may read Actions (GitHub: `actions: read`; GitLab: `read_api`). "
        "Deleting needs `actions: write`."
    ),
    "workflow-not-found": "The repository has: {known:all}.",
    "workflow-unwritable": "Run `go-prefetch init` again, or apply its diff with `git apply`.",
    "compare-at-unknown": ("Give a date such as 2026-03-01, a time such as 2026-03-01T12:00:00Z, or a pushed commit."),
}

_GO_FILES = {
    "go-mod-malformed": "Go refuses this file too. Correct it, or restore it from version control.",
    "go-mod-unreadable": "Make the file readable for the job.",
    "go-work-member-missing": ("Check out that folder too, or remove it from go.work with `go work edit -dropuse`."),
    "go-sum-malformed": "Restore the line from version control, or delete it and run `go mod tidy`.",
    "go-sum-conflict": "Resolve the conflict (for go.sum, keep the lines of both sides), then run `go mod tidy`.",
    "go-sum-unreadable": "Make the file readable for the job.",
}

_GO = {
    "no-module-cache": "Set HOME, GOPATH or GOMODCACHE. Go needs one of them to locate the module cache.",
    "go-not-found": (
        "Install Go 1.21 or newer (https://go.dev/dl, actions/setup-go), or use `go-prefetch fill`, which needs no Go."
    ),
    "go-too-old": "Install a newer Go, or use `go-prefetch fill`, which needs no Go.",
    "go-failed": "Go's output is above. The same command fails without go-prefetch too.",
    "git-unreadable": (
        "git cannot read that repository: it has no login, or the host does not answer. Provide a token with a "
        "credential helper, netrc or `git config --global url.….insteadOf`, or an SSH key and known_hosts. Test it "
        "with `git ls-remote https://MODULE`."
    ),
}

_DOWNLOAD = {
    "proxy-unavailable": "Add another proxy after `|` in the input goproxy, or try again later.",
    "module-not-found": "Check the version, and whether the module is public.",
    "checksum-mismatch": (
        "Either go.sum is wrong, or this version was changed after it was published. Do not build before you know "
        "which. See https://go.dev/ref/mod#module-cache"
    ),
    "go-stalled": ("A server does not answer Go. Name another proxy in the input goproxy, or raise stall-timeout."),
    "git-stalled": (
        "Run `git ls-remote {remote}` on this machine. It must end without a prompt. Check the network and the login "
        "for {host} (credential helper, GIT_ASKPASS, SSH key). If a proxy has the module, check GOPRIVATE."
    ),
    "deadline-passed": "Raise the input deadline.",
    "disk-full": "Free some space, or name a folder on a larger disk (GOMODCACHE, or the folder to fill).",
    "folder-unwritable": ("Give this user write access, or name another folder (GOMODCACHE, or the folder to fill)."),
}

_FINDINGS = {
    "no-verdict": "Try again. `go mod verify` checks the module cache without go-prefetch.",
    "proxy-unusable": "",
}

_SYSTEM = {
    "interrupted": "",
    "system-error": "Check its permissions and the free disk space.",
    "internal-error": "Report it with these lines. Go itself downloads what is missing, in the next go command.",
    "api-rate-limit": "Finished runs are cached, so the next report continues from here. Or wait with --wait.",
    "api-unreachable": "Check --api-url, the network and the proxy variables (HTTPS_PROXY), or try again later.",
    "api-refused": "Try again later.",
}

_GATES = {
    "gate-missed": "The report above has the runs and the reasons.",
}

_STORE = {
    "store-archive": "Nothing was saved. The next run tries again.",
    "store-client-missing": (
        "The run continues without it. Install it with go-prefetch: `pip install 'go-prefetch[{extra}]'`. It needs "
        "Python 3.11 or newer."
    ),
    "store-damaged": "The rest is downloaded or compiled, and a new entry is saved.",
    "store-denied": (
        "The run continues without it. Check the credentials of this job, and what they may do with this pool."
    ),
    "store-limited": "The run continues without it. If this repeats, ask its operator for a higher limit.",
    "store-no-room": "The rest is downloaded or compiled. Free some space, or use a larger disk.",
    "store-refused": (
        "The run continues without it. If this repeats, look at https://www.githubstatus.com or the runner's own "
        "cache server."
    ),
    "store-slow": "The rest is downloaded or compiled.",
    "store-unreachable": (
        "The run continues without it. If this repeats, look at https://www.githubstatus.com or the runner's own "
        "cache server."
    ),
    "store-unreadable": (
        "The rest is downloaded or compiled. Give this user read access, check the disk or network share, or name "
        "another pool."
    ),
    "store-unusable": "The run continues without it. Check the URL in `store` and the variables of its client.",
    "store-unwritable": "The run continues without it. Check its permissions and the free disk space.",
}

_WARNINGS = {
    "api-rate-limit-wait": "",
    "build-cache-unwritable": (
        "The job compiles what is missing. Check the permissions of GOCACHE and the free disk space."
    ),
    "build-state-unwritable": "The job runs as usual, and its build results are not saved. Check the folder.",
    "cache-over-limit": "",
    "cgo-unknown": "Run `go-prefetch docker --output` first, or in the same command.",
    "credentialed-not-kept": "Set `save-private: true` to save them.",
    "default-branch-unsaved": "",
    "embed-excluded": "Remove the pattern, or make the files in a stage of the Dockerfile.",
    "embed-untracked": "Make it in the job before the image build, or in a stage of the Dockerfile.",
    "fast-verification": "",
    "files-not-needed": "",
    "files-rejected": ("If it happens again, use another `cache-name`, and find out who can write to that source."),
    "folder-not-verified": "The build that reads the folder verifies it.",
    "folder-outside-workspace": (
        "To plan the module alone, set GOWORK=off for this step and for the go commands in that folder. To make it "
        "part of the workspace, run `go work use {folder}` and commit go.work."
    ),
    "edit-by-hand": "",
    "job-left": "Add the step by hand if the job needs modules.",
    "workflow-not-understood": "Add the step by hand: docs/github.md has it.",
    "workflow-unreadable": "Add the step by hand, or make the file readable.",
    "go-mod-skipped": (
        "If Go does not use this file, exclude its folder: add a line with `!` and the folder to the input "
        "working-directory. Otherwise, correct the file."
    ),
    "go-sum-line-ignored": "Run `go mod tidy`.",
    "go-sum-missing": "Run `go mod tidy` and commit go.sum.",
    "go-sum-stale": "Run `go mod tidy`.",
    "mod-files-removed": "",
    "mod-files-unchecked": "",
    "outputs-refused": "",
    "private-left-to-go": "",
    "direct-left-to-go": "Jobs that read the folder need `direct` in their GOPROXY too.",
    "pool-file-wrong": "",
    "pool-not-verified": "",
    "proxy-limited": (
        "Name another proxy after `|` in the input goproxy, ask for a higher limit, or let a store keep the modules."
    ),
    "report-incomplete": "",
    "reports-unwritable": "",
    "stale-objects": "Run `go clean -cache`.",
    "test-cache-index": "Run `git status`, which updates the index.",
    "test-cache-skipped": "",
    "trace-unwritable": "",
    "tree-removed": "",
    "tree-unchecked": "",
    "trees-replaced": "",
    "trees-unchecked": "",
    "unknown-variable": "Did you mean {meant}?",
    "go-sum-changed": "Run `go mod tidy` and commit {path}.",
    "pool-not-trimmed": "Check the permissions of its files.",
    "go-sum-lacks": "Run `go mod tidy` and commit {path}.",
    "plan-incomplete": (
        "Run `go build ./...` and `go vet ./...` in each module of the workspace, and commit go.work.sum. Until then, "
        "builds may download more, and may fail without a network."
    ),
}

_NOTICES = {
    "no-go-job": "Add a job for Go, as in docs/examples/github-action.yml, and run `go-prefetch init` again.",
    "build-cache-left-out": "If it publishes nothing, add `build-cache: auto` to the step.",
    "step-superfluous": "",
    "inconclusive": "",
    "duplicate-cache": "If that is setup-go, set `cache: false` in its step.",
    "toolchain-planned": "Install that Go instead, for example with setup-go's `go-version-file`.",
    "failure-ignored": "",
    "no-requirements": "",
    "nothing-in-scope": "",
    "vendored": "",
    "build-cache-off": "",
    "caches-not-listed": "",
    "cache-mode": "The workflow sets it. This is normal for pull requests from forks.",
    "entry-base-gone": "",
    "entry-complete": "",
    "entry-taken": "",
    "entry-too-slow": "",
    "entry-unused": "",
    "fill-keeps-folder": "",
    "merge-request-note": "",
    "no-build-state": "To save it, begin each job with `go-prefetch build-cache restore`, also the first one.",
    "no-cache-folder": "Set HOME, or name a folder with `store: dir:PATH`.",
    "no-cache-service": "Use the action, because a runner offers its cache to actions only, or use a pool.",
    "not-saved": "Set `save-private: true` if all who can read the store may read them.",
    "nothing-to-save": "",
    "run-failed": "",
    "save-disabled": "",
    "save-restricted": "Set `save: true` if this job is to write to the pool.",
    "save-unshared": "",
    "store-failed": "",
    "store-none": "Remove `store: none` to keep modules between runs.",
    "store-not-allowed": "",
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
