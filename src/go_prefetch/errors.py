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

    def __init__(self, slug: str, case: str = "", /, **facts: object) -> None:
        super().__init__(slug, case, facts)
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
    def go_stderr(self) -> str:
        """What Go and git said, of this error or of its cause; empty where they said nothing."""
        facts = dict(self.notice.facts)
        while isinstance(cause := facts.get("cause"), Notice):
            facts = dict(cause.facts)
        return str(facts.get("stderr", ""))


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

    def __init__(self, slug: str, case: str = "", /, *, until: float, **facts: object) -> None:
        super().__init__(slug, case, **facts)
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
        "See `{program} --help`.",
    ),
    "input-invalid": (
        "An input, flag or variable has a value that is not allowed. The message names it, its value and what is "
        "allowed.",
        "Allowed: {allowed}.",
    ),
    "goproxy-invalid": (
        "The proxy list is empty, has an entry that is no URL, or (for `fill`) names no proxy at all. Write it as "
        "Go's GOPROXY: URLs separated by `,` or `|`, ending in `direct` or `off` if you like.",
        "Write it as Go's GOPROXY: URLs separated by `,` or `|`, ending in `direct` or `off` if you like, for "
        "example https://proxy.golang.org,direct",
    ),
    "folder-not-found": (
        "A line of `working-directory` is not a folder, or (for `prune`) `--pool` names none.",
        "Name folders that hold a go.mod or go.work, one per line, relative to where the job runs.",
    ),
    "modfile-invalid": (
        "GOFLAGS (the variable, or what `go env -w` has set) has `-modfile=FILE`, and FILE is not there, does not "
        "end in `.mod`, or meets a go.work: every go command refuses that. A FILE that Go takes is followed: the "
        "plan reads it and its `.sum`. One that is no absolute path is looked for beside go.mod, where Go is run.",
        "Every go command fails here. `go env GOFLAGS` shows the flags, `go env -u GOFLAGS` forgets what `-w` set.",
    ),
    "go-mod-not-found": (
        "There is no go.mod or go.work in a working directory, above it, or (for `.`) among the tracked files below"
        " it. git lists no repository of another user unless the CI or your configuration says that it is yours "
        "([docs/git.md](git.md)).",
        "Name the folders that hold one in the working-directory input, one per line. Globs are allowed.",
    ),
    "folder-not-ours": (
        "`fill` and `docker --output` remove what the plan does not name, so they refuse a folder with other things"
        " in it, and a file. `prune --pool` refuses Go's own module cache: `go clean -modcache` empties that.",
        "Name a new or empty folder, or one that was filled before. Files that the plan does not name are removed.",
    ),
    "folder-outside-context": (
        "`docker --dockerfile plain` copies the folder of modules from the build context, so `--output` has to name"
        " one inside.",
        "A builder without named contexts copies it from there: name a folder inside.",
    ),
    "name-not-for-dockerfile": (
        "`docker --dockerfile` met a folder whose name would be read as something else in a Dockerfile: blanks part"
        " names, `$ * ? [` have a meaning, and a line's end would begin an instruction.",
        "Rename it to a name without blanks, quotes and $ * ? [ ].",
    ),
    "one-module-only": (
        "`docker --dockerfile` prints one file for one module or workspace. Name it in `--working-directory`.",
        "Name one folder in --working-directory.",
    ),
    "context-not-a-folder": (
        "`docker --context` (default: the current folder) has to name the folder that a builder is given.",
        "Name the folder that the builder is given in --context.",
    ),
    "dockerfile-unreadable": (
        "The Dockerfile or .dockerignore could not be read.",
        "Name a Dockerfile. Its build context is the current folder, or --context.",
    ),
    "dockerfile-too-large": (
        "A Dockerfile or .dockerignore that `docker` was to look at has more than a million characters, or the "
        "Dockerfile more instructions than any builder makes layers of: it was made by a program. Take it apart, or"
        " do without the check.",
        "Split it, or run without --check.",
    ),
    "dockerignore-malformed": (
        ".dockerignore has a line that builders refuse; the message names it.",
        "No builder accepts this line: correct it.",
    ),
    "dockerignore-unwritable": (
        ".dockerignore could not be written into the build context.",
        "Name the build context with --context.",
    ),
    "go-source-unreadable": (
        "A Go file may not be read: `docker --dockerfile` looks for `package main` in them.",
        "Make the Go files readable: the packages that are programs are found in them.",
    ),
    "report-file-unwritable": (
        "The report could not be written where `report-file` (for `report`: `output`) says. Folders on the way are "
        "made. A device or pipe (`/dev/stdout`) may be named too; it is written to, never replaced.",
        "Name a file that can be written, for example one in the working directory.",
    ),
    "repository-unknown": (
        "`report` and `prune` do not know which repository is meant: no `--repo`, no CI job, and no clone with a "
        "remote called `origin`. git refuses the clone of another user ([docs/git.md](git.md)).",
        "Pass `--repo OWNER/NAME`, or run inside a clone that has an `origin` remote.",
    ),
    "repository-not-found": (
        'The API knows no such repository or workflow, or does not show it to this token. GitHub says "not found"'
        " for both.",
        "Check --repo, --workflow and --api-url, and what the token may read.",
    ),
    "token-missing": (
        "There is no token for this host. GitHub: `GH_TOKEN`, `GITHUB_TOKEN`, or `gh auth login`; GitHub Enterprise"
        " Server: `GH_ENTERPRISE_TOKEN`; GitLab: `GITLAB_TOKEN`, with `GITLAB_HOST` for a host of your own. A token"
        " of one host is never sent to another.",
        "Set a token for this host.",
    ),
    "token-refused": (
        "The token is not (or no longer) good, or may not do this. `report` wants `actions: read` (GitLab: "
        "`read_api`), `prune --delete` `actions: write`.",
        "Check that the token is valid and may read Actions (GitHub: `actions: read`; GitLab: `read_api`). Deleting"
        " needs `actions: write`.",
    ),
    "workflow-not-found": (
        "`--workflow` names no workflow of the repository. The message lists those there are.",
        "The repository has: {known:all}.",
    ),
    "compare-at-unknown": (
        "`--compare-at` is neither a date nor a commit that the repository has.",
        "Write a date such as 2026-03-01, a moment such as 2026-03-01T12:00:00Z, or a commit that was pushed.",
    ),
}

_GO_FILES = {
    "go-mod-malformed": (
        "go.mod or go.work cannot be read as Go reads it; the message names the line. An unresolved merge conflict "
        "is one cause.",
        "Go refuses this file too. Correct it, or restore it from version control.",
    ),
    "go-mod-unreadable": (
        "The file is there and may not be read, or is larger than any go.mod.",
        "Make the file readable for the job.",
    ),
    "go-work-member-missing": (
        "go.work names a folder without a go.mod.",
        "Check out that folder too, or remove it from go.work with `go work edit -dropuse`.",
    ),
    "go-sum-malformed": (
        "A line of go.sum does not have three fields, or is not text. Go refuses it too: restore it, or delete it "
        "and run `go mod tidy`.",
        "Restore the line from version control, or delete it and run `go mod tidy`.",
    ),
    "go-sum-conflict": (
        "go.sum has merge conflict markers. Keep the lines of both sides, then run `go mod tidy`.",
        "Resolve the conflict (for go.sum, keep the lines of both sides), then run `go mod tidy`.",
    ),
    "go-sum-unreadable": (
        "The file is there and may not be read, or is larger than any go.sum.",
        "Make the file readable for the job.",
    ),
}

_GO = {
    "no-module-cache": (
        "Go does not know where modules belong: HOME, GOPATH and GOMODCACHE are unset, or GOMODCACHE is no absolute"
        " path.",
        "Set HOME, GOPATH or GOMODCACHE: Go needs one of them to know where modules belong.",
    ),
    "go-not-found": (
        "There is no `go` on PATH. `go-prefetch fill` works without.",
        "Install Go 1.21 or newer (https://go.dev/dl, actions/setup-go), or use `go-prefetch fill`, which needs none.",
    ),
    "go-too-old": (
        "Go is older than 1.21.",
        "Install a newer Go, or use `go-prefetch fill`, which needs none.",
    ),
    "go-failed": (
        "`go mod download` or `go env` failed. Its last words are in the message; the same command says the same "
        "without go-prefetch.",
        "Go's own words are above. The same command fails in the same way without go-prefetch.",
    ),
    "git-unreadable": (
        "Go asked git or ssh for a private module and git could not read the repository: this machine has no login "
        "for it (git may not ask for one in CI), or the host does not answer. Give it a token by a credential "
        "helper or netrc, `git config --global url.….insteadOf`, or an SSH key and its host in known_hosts. `git "
        "ls-remote URL` shows whether it works.",
        "git cannot read that repository from here: it lacks a login, or the host does not answer. Give it a token "
        "by a credential helper or netrc, `git config --global url.….insteadOf`, or an SSH key and known_hosts. "
        "`git ls-remote https://MODULE` shows whether it works.",
    ),
}

_DOWNLOAD = {
    "proxy-unavailable": (
        "Files could not be downloaded after all attempts at all proxies that may be asked, and Go could not get "
        "them either. The message lists the attempts. Name another proxy, separated by `|`.",
        "Name another proxy in the goproxy input, separated by `|`, or try again later.",
    ),
    "module-not-found": (
        "No proxy has a file that Go needs: a wrong version, or a private module that GOPRIVATE does not cover.",
        "Check the version, and whether the module is public.",
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
        "Either go.sum is wrong, or this version was changed after it was published. Do not build before you know "
        "which: https://go.dev/ref/mod#module-cache",
    ),
    "go-stalled": (
        "`go mod download` did nothing for four times `stall-timeout`, as often as `attempts` says. A server it "
        "asks directly does not answer.",
        "A server that Go asks does not answer. Name another proxy in the goproxy input, or raise stall-timeout.",
    ),
    "git-stalled": (
        "git, started by Go for the module that is named, did nothing for four times `stall-timeout`, as often as "
        "`attempts` says: a dead host, a firewall that drops packets, or a helper (`GIT_ASKPASS`, a credential "
        "helper, an SSH agent) that waits for somebody. Try `git ls-remote URL` on that machine.",
        "Run `git ls-remote {remote}` on this machine: it has to end without a question. Check the credential "
        "helper, GIT_ASKPASS or SSH key for {host}, whether {host} can be reached, and GOPRIVATE, if a proxy has "
        "the module.",
    ),
    "deadline-passed": (
        "The whole run took longer than `deadline`.",
        "Raise the deadline input.",
    ),
    "disk-full": (
        "There is no room for the modules.",
        "Free some space, or name a folder on a larger disk (GOMODCACHE, or the folder to fill).",
    ),
    "folder-unwritable": (
        "The module cache, or the folder to fill, cannot be written; or (for `prune`) files of the pool cannot be "
        "removed.",
        "Give this user write access, or name another folder (GOMODCACHE, or the folder to fill).",
    ),
}

_FINDINGS = {
    "no-verdict": (
        "`verify` could not have Go check the module cache, so it vouches for nothing.",
        "Try again. `go mod verify` checks the module cache without go-prefetch.",
    ),
    "proxy-unusable": (
        "`doctor` could have nothing from a proxy of the list: no whole answer to any request, only answers that "
        "are no module files, or none of the plan's modules where no other proxy of the list has any either. The "
        "message says which, and why; [doctor.md](doctor.md) says how that is measured.",
        "",
    ),
}

_SYSTEM = {
    "interrupted": (
        "Ctrl-C or a signal ended the run. Its exit status is 130.",
        "",
    ),
    "system-error": (
        "The system refused something that is neither a module nor the store: for example, output to a full disk.",
        "Check the room on its disk and its permissions.",
    ),
    "api-rate-limit": (
        "The API takes no more requests for a while and had given nothing yet. (Where it had given something, "
        "`report` shows that, and says that it is incomplete.) `--wait` waits. What was read is kept, so the next "
        "report needs fewer requests.",
        "Finished runs are kept, so the next report goes on from here. --wait waits instead.",
    ),
    "api-unreachable": (
        "The API did not answer, or not with sense, four times in a row.",
        "Check --api-url, the network and the proxy variables (HTTPS_PROXY), or try again later.",
    ),
    "api-refused": (
        "The API answered with a status that nothing can be made of.",
        "Try again later.",
    ),
}

_GATES = {
    "gate-missed": (
        "A figure of the report is worse than `--min-hit-rate`, `--max-p95-seconds` or `--max-failure-rate` allows,"
        " or there was nothing to measure it by. The message has what was wanted and what was measured. See "
        "[report.md](report.md).",
        "The report above has the runs and the reasons.",
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
    "api-rate-limit-wait": (
        "The API takes no more requests for a while. `--wait` was given, or the wait is short.",
        "",
    ),
    "credentialed-not-kept": (
        "A proxy asked for a login, and this repository is not known to be private, so its modules are not kept in "
        "a folder that others may read.",
        "Set `save-private: true` to keep them.",
    ),
    "fast-verification": (
        "Modules are unpacked and verified while others still download. That gave no clear result here, so `go mod "
        "download` does it.",
        "",
    ),
    "files-not-needed": (
        "go.sum names files that no proxy handed over. Go built its module cache without them.",
        "",
    ),
    "files-rejected": (
        "Go compared a file with go.sum and found it wrong. It was removed, and another source was asked.",
        "If it happens again, start with another `cache-name`, and find out who can write to that source.",
    ),
    "folder-not-verified": (
        "`fill` and `docker --output` have Go verify the folder where there is one. Go gave no verdict.",
        "The build that reads the folder verifies it.",
    ),
    "go-sum-line-ignored": (
        "A line of go.sum cannot name a module version, so it is left out of the plan.",
        "Run `go mod tidy`.",
    ),
    "go-sum-missing": (
        "Without lines in go.sum nothing can be verified, so nothing is downloaded ahead.",
        "Run `go mod tidy` and commit go.sum.",
    ),
    "go-sum-stale": (
        "go.sum has lines of versions that no proxy has. Go does not need them.",
        "Run `go mod tidy`.",
    ),
    "mod-files-removed": (
        "Files came from a source of which many files were wrong. Go fetches what it needs itself.",
        "",
    ),
    "mod-files-unchecked": (
        "Files that no go command has compared with go.sum are not saved for other jobs.",
        "",
    ),
    "outputs-refused": (
        "The files in which a runner takes outputs and the job summary could not be written.",
        "",
    ),
    "private-left-to-go": (
        "No proxy is asked for private modules. Go fetches them with its own logins.",
        "",
    ),
    "report-incomplete": (
        "`report` could not read all runs. It shows what it has.",
        "",
    ),
    "reports-unwritable": (
        "The report files of the GitLab job could not be written.",
        "",
    ),
    "stale-objects": (
        "A module in the module cache was wrong, so objects that were compiled from it may be wrong too.",
        "Run `go clean -cache`.",
    ),
    "trace-unwritable": (
        "The file that `trace` names could not be written. The run goes on.",
        "",
    ),
    "tree-removed": (
        "An unpacked module in the module cache was not what go.sum says.",
        "",
    ),
    "tree-unchecked": (
        "Go gave no verdict on this module.",
        "",
    ),
    "trees-replaced": (
        "Unpacked modules lay in the module cache without a zip that proves them. Go unpacks them again.",
        "",
    ),
    "trees-unchecked": (
        "`check-present` was asked for, and Go gave no verdict on these modules.",
        "",
    ),
    "unknown-variable": (
        "An environment variable looks like an input and is none, so it has no effect.",
        "Did you mean {meant}?",
    ),
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
    "inconclusive": (
        "A check by Go proved nothing, neither that files are right nor that they are wrong.",
        "",
    ),
    "duplicate-cache": (
        "Modules are older than the machine of this job, so another cache restored them. They are stored twice.",
        "If that is setup-go, set `cache: false` in its step, or `env: GOMODCACHE: ${{{{ runner.temp }}}}/none` to "
        "keep its build cache.",
    ),
    "failure-ignored": (
        "The run failed, and `on-failure: warn` was given.",
        "",
    ),
    "no-requirements": (
        "There is nothing to download.",
        "",
    ),
    "nothing-in-scope": (
        "No folder in scope has anything to download.",
        "",
    ),
    "vendored": (
        "Go builds from vendor/, so there is nothing to download.",
        "",
    ),
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
