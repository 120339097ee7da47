"""All sentences: one template for each slug and case, and a few words for each reason.

A template is filled with the facts of a notice by `str.format`, with these formats in addition to Python's own:

    {count:#file}     1 file, 2 files
    {bytes:size}      1.2 MB
    {seconds:time}    3.4 s
    {seconds:milliseconds}
    {cause:reason}    a notice as the end of another sentence
    {cause:line}      the same, without the untrusted text below it
    {paths:list}      a, b, c and 3 more
    {sources:then}    a, then from b
    {failures:attempts}, {failures:causes}, {failures:missing}, {notices:lines}, {notices:reasons}, {gates:gates}

A notice as a fact becomes its text; None becomes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from go_prefetch.errors import TABLE
from go_prefetch.model.results import Deferral, PassedOver


class Text(NamedTuple):
    """The templates of one case: what happened, and what to do if the table's hint does not fit."""

    text: str
    hint: str = ""


# The names of the steps in logs, summaries and documents. The JSON report and the record have older names as keys.
STEPS = {
    "plan": "plan",
    "restore": "restore",
    "download": "download",
    "admit": "verify",
    "complete": "go mod download",
    "save": "save",
}

DEFERRALS = {
    Deferral.TWO_HASHES: "two hashes in go.sum",
    Deferral.OTHER_VERSION: "another version of the same module",
    Deferral.NO_ROOM: "too little disk space to unpack it",
    Deferral.UNUSUAL_ZIP: "an unusual zip",
    Deferral.UNREADABLE_ZIP: "an unreadable zip",
    Deferral.REFUSED: "rejected by `go mod verify`",
    Deferral.NOT_UNPACKED: "not unpacked, or already there",
    Deferral.NO_QUARANTINE: "no quarantine",
}

PASSED_OVER = {
    PassedOver.RESTING: "skipped after many failures in a row",
    PassedOver.LIMITED: "skipped because of its rate limit",
    PassedOver.AFTER_COMMA: "skipped, because after `,` it is used only if a file is not found",
    PassedOver.REJECTED: "Go rejected its file, and goproxy names no other proxy",
    PassedOver.NO_TIME: "no time is left",
}

_NO_GO_MOD = "working-directory: there is no go.mod or go.work in {folder} or above it."
_NO_FOLDER = "working-directory: {text!r} is not a folder (looked in {cwd})."
_MALFORMED = "{source}:{number}: {problem}."
_EMPTY = "The folder is empty: check out the repository (actions/checkout) before this step."
_TRUST = "If you trust the repository, run `git config --global --add safe.directory DIR` with its folder."
_NOT_TRUSTED = f"git does not list files below, because the repository belongs to another user. {_TRUST}"
_LACKS_LOGIN = "There is no token for {host}, and its API needs one."
_GIT_STALLED = "`{command}` of {remote} did not end (no progress for {silence:g} s, {times} times)"
_UNAVAILABLE = "{failures:causes}\n{failures:missing}\n{cause}"
_NO_HOST = "There is no host {hosts:list}.\n{failures:missing}\n{cause}"

_ASKS_SUMDB = (
    "go.sum lacks a hash, so Go asks the checksum database. Run `go mod tidy` and commit go.sum. Where the database "
    "cannot be reached, name a mirror in GOSUMDB. For private modules, set GOPRIVATE."
)

_NO_MODULES = (
    "The server sends something other than modules, for example a login page. Check the URL in the input goproxy "
    "(GOPROXY), and whether the network asks for a login."
)

_VERIFIES_TOOLCHAIN = (
    "Go runs no toolchain that it cannot compare with the checksum database. Install that Go in the job, for example "
    "with setup-go's `go-version-file`, or set GOSUMDB to a database or mirror that this machine reaches."
)

# Why `init` leaves a workflow as it is.
_NOT_UNDERSTOOD = {
    "alias": "An anchor, alias or tag is used in a way that `init` does not read.",
    "character": "The file has a control character or an unusual line end.",
    "complex-key": "A key is used in a way that `init` does not read.",
    "depth": "The file is nested too deeply.",
    "directive": "The file begins with a YAML directive.",
    "documents": "The file has more than one YAML document.",
    "duplicate": "A key is there twice.",
    "encoding": "The file is not UTF-8.",
    "indent": "The indent does not match the lines above.",
    "scalar": "A value is written in a way that `init` does not read.",
    "tab": "A tab separates or indents YAML.",
    "unfinished": "A quote, brace or bracket is not closed.",
}

# By slug, in the order of the error table; then by case, if a slug has several.
TEXTS: dict[str, str | Text | Mapping[str, str | Text]] = {
    "usage": {
        "": "{program}: {words}.",
        "command-missing": Text("No command given.", "Most jobs need `{program} run`. See `{program} --help`."),
        "command": "{program} has no command {given!r}.",
        "command-meant": Text("{program} has no command {given!r}.", "Did you mean `{program} {meant}`?"),
        "argument-missing": "{program} needs {given}.",
        "argument": "{program} takes no argument {given!r}.",
        "argument-folder": Text("{program} takes no argument {given!r}.", "Name a folder with `-C {given}`."),
        "value-missing": Text(
            "{program}: {given} needs a value.",
            "Write `{given} VALUE`, or `{given}=VALUE` if the value begins with a dash. See `{program} --help`.",
        ),
        "value-given": Text("{program}: {given} takes no value.", "Leave the value out. See `{program} --help`."),
        "flag": "{program} has no flag {given}.",
        "flag-meant": Text("{program} has no flag {given}.", "Did you mean {meant}? See `{program} --help`."),
        "flag-elsewhere": Text("{program} has no flag {given}.", "These commands have it: {others:all}."),
        "flag-before-command": Text("{given} belongs after the command.", "Write `{program} {given}`."),
        "flag-without-effect": "{given} has no effect on {program}.",
        "nothing-to-do": Text(
            "go-prefetch docker: nothing to do.",
            "Give --output DIR, --dockerfile, --check FILE or --dockerignore. See `go-prefetch docker --help`.",
        ),
    },
    "input-invalid": {
        "": "{name}: {text} is not allowed (given as {given_as}).",
        "did-you-mean": Text(
            "{name}: {text} is not allowed (given as {given_as}).", "Did you mean `{meant}`? Allowed: {allowed}."
        ),
        "login": Text(
            "{name}: a URL with a login is not allowed (given as {given_as}).",
            "For an HTTP server, set GO_PREFETCH_STORE_LOGIN to `user:password` or a token. "
            "For a bucket, set the variables of its client.",
        ),
        "path": "{name}: {text!r} is not allowed: {words}.",
        "also": Text("also: {cause}", "Give one URL with each --also, for example --also https://goproxy.io."),
        "also-several": Text(
            "also: {text!r} is not one URL.", "Give one URL with each --also, for example --also https://goproxy.io."
        ),
        "prune-gitlab": Text(
            "prune: GitLab keeps its caches on the storage of its runners, which its API does not reach.",
            "Set a lifecycle rule on the bucket of the runners. `--pool` trims a directory pool.",
        ),
        "init-both": Text("init: --check writes nothing, and --write writes.", "Give one of them."),
        "prune-pool": Text(
            "prune: --pool with --delete needs --max-age or --max-size, and --max-size needs --pool.",
            "For example: --pool DIR --max-size 5GB. Without a pool, prune looks at the entries of a repository.",
        ),
        "prune-bucket": Text(
            "prune: --max-size needs a pool on disk, because a bucket does not know when an object was last read.",
            "Use --max-age, or a lifecycle rule of the bucket.",
        ),
    },
    "goproxy-invalid": {
        "": "goproxy: {entry!r} is not a proxy: {why}.",
        "fill": Text(
            "goproxy: {goproxy!r} names no proxy, and `fill` needs one.",
            "Name a proxy, for example https://proxy.golang.org. Only Go itself uses `direct`.",
        ),
    },
    "folder-not-found": {
        "": _NO_FOLDER,
        "did-you-mean": Text(_NO_FOLDER, "Did you mean {meant!r}?"),
        "pool": Text("pool: {pool} is not a folder.", "Name the folder of a directory pool."),
    },
    "modfile-invalid": {
        "workspace": "GOFLAGS has -modfile={modfile}, which Go does not allow in a workspace ({path}).",
        "name": "GOFLAGS has -modfile={modfile}, whose name does not end in .mod.",
        "missing": "GOFLAGS has -modfile={modfile}, and {path} does not exist.",
    },
    "go-mod-not-found": {
        "": _NO_GO_MOD,
        "empty": Text(_NO_GO_MOD, _EMPTY),
        "init": Text("There is no tracked go.mod or go.work in {folder}.", "Run it in a repository with a Go module."),
        "submodules": Text(
            _NO_GO_MOD,
            "Modules of submodules are used only if you name their folders: add {submodules:list} to the input "
            "working-directory, and check the submodules out.",
        ),
        "any-not-trusted": Text(_NO_GO_MOD, f"{TABLE['go-mod-not-found'].hint} {_NOT_TRUSTED}"),
        "empty-not-trusted": Text(_NO_GO_MOD, f"{_EMPTY} {_NOT_TRUSTED}"),
        "pattern": Text(
            "working-directory: no folder that matches {pattern!r} has a go.mod or go.work (looked in {base}).",
            "Check the pattern. `**` matches any depth, without vendor, testdata, node_modules and hidden folders.",
        ),
        "excluded": Text(
            "working-directory: the lines with `!` exclude all {count} that were found ({patterns:list}).",
            "Remove a line that begins with `!`, or add a folder.",
        ),
        "too-large": Text(
            "working-directory: {folder} has more than {most} folders to search.",
            "Name the folders with a go.mod or go.work, one per line.",
        ),
    },
    "folder-not-ours": {
        "": "{folder} contains files that are not modules of a plan.",
        "file": Text("{folder} is a file, not a folder to fill.", "Name a new or empty folder."),
        "no-pool": Text(
            "{pool} is not a pool, because it has the file {name}.",
            "Nothing was deleted. Name a pool with `--store dir:PATH`. `go clean -modcache` empties a module cache.",
        ),
        "module-cache": Text(
            "pool: {pool} is Go's own module cache.",
            "Name a directory pool (that of `store: dir:PATH`). `go clean -modcache` empties a module cache.",
        ),
    },
    "folder-outside-context": "docker: {output} is outside the build context {context}.",
    "name-not-for-dockerfile": "docker: a Dockerfile cannot contain the name {name!r}.",
    "one-module-only": "docker: --dockerfile needs exactly one module or workspace, and {count} are in scope.",
    "context-not-a-folder": "{folder} is not a folder, so it cannot be a build context.",
    "dockerfile-unreadable": "{path} cannot be read: {words}.",
    "dockerfile-too-large": "{what} is not checked: {why}.",
    "dockerignore-malformed": "{where}: {problem}.",
    "dockerignore-hides-build": "docker: {ignore} excludes {path}, which the image build needs.",
    "folder-not-in-image": "docker: a `replace` or `use` line names {path}, which an image build cannot find.",
    "dockerignore-unwritable": "{path} cannot be written: {words}.",
    "go-source-unreadable": "{path} cannot be read: {words}.",
    "pool-unknown": {
        "": "{name}: no folder is known for the default pool, because HOME is not set.",
        "no-folder": Text("{name}: {text!r} keeps no modules in a folder.", "Name a pool with `--store dir:PATH`."),
    },
    "report-file-unwritable": "{name}: {path} cannot be written: {words}.",
    "repository-unknown": {
        "": "No repository given.",
        "not-trusted": Text(
            "No repository given, and git refuses the repository here, because it belongs to another user.",
            f"Pass `--repo OWNER/NAME`. {_TRUST}",
        ),
    },
    "github-client-missing": "GitHub's API cannot be read, because PyGithub is not installed. The archive of a release "
    "is without it.",
    "repository-not-found": "{api} has no {path}, or this token may not read it.",
    "token-missing": {
        "gitlab": Text(_LACKS_LOGIN, "Set GITLAB_TOKEN (scope read_api)."),
        "gitlab-host": Text(_LACKS_LOGIN, "Set GITLAB_TOKEN (scope read_api), and GITLAB_HOST={host}."),
        "github": Text(_LACKS_LOGIN, "Set GH_TOKEN, or log in with `gh auth login`."),
        "github-enterprise": Text(
            _LACKS_LOGIN,
            "Set GH_ENTERPRISE_TOKEN (GH_TOKEN is for github.com alone), or log in with `gh auth login`.",
        ),
        "no-api-path": Text(
            _LACKS_LOGIN,
            "Give --api-url its path: `/api/v4` for GitLab, `/api/v3` for GitHub Enterprise Server. "
            "Set GITLAB_TOKEN and GITLAB_HOST={host}, or GH_ENTERPRISE_TOKEN.",
        ),
    },
    "token-refused": {
        "": "{api} refused {path} with status {status}{words}.",
        "characters": Text("The token contains invalid characters.", "Copy the token as a whole, on one line."),
    },
    "workflow-not-found": "--workflow: the repository has no workflow {unknown:list}.",
    "compare-at-unknown": "compare-at: {text!r} is not a date, and the repository has no such commit.",
    "workflow-unwritable": {
        "": "{path} cannot be written: {words}.",
        "changed": "{path} was changed by another program since it was read. Nothing was written to it.",
    },
    "go-mod-malformed": {"": _MALFORMED, "damaged": _MALFORMED},
    "go-mod-unreadable": "{path} cannot be read: {words}.",
    "go-work-member-missing": "{definition} uses {use}, and {path} does not exist.",
    "go-sum-malformed": "{where}: {problem}.",
    "go-sum-conflict": "{where} has a merge conflict marker.",
    "go-sum-unreadable": "{path} cannot be read: {words}.",
    "no-module-cache": "GOMODCACHE is {gomodcache!r}, which is not an absolute path.",
    "go-not-found": {
        "": "There is no `go` on PATH.",
        "script": Text(
            "There is no go.exe on PATH, only {script}. go-prefetch starts no scripts.",
            "Put the folder `bin` of `go env GOROOT` on PATH, in front of the folder of that script.",
        ),
    },
    "go-too-old": "{goversion} is too old: go-prefetch needs Go 1.21 or newer.",
    "go-failed": {
        "": "`{command}` exited with status {status}:\n{stderr}",
        "stopped": "`{command}` was stopped:\n{stderr}",
        "not-started": Text("{go} cannot be started: {words}.", "Check that this is Go, and reinstall it."),
        "env-stalled": Text("`go env` did not end within {seconds:g} s.", "Check that {go} is Go itself."),
        "goproxy-off": Text(
            "{cause}",
            "GOPROXY is `off`, and the store lacks modules. Name a proxy, or run once with a proxy to fill the store.",
        ),
        "sumdb": Text("{cause}", _ASKS_SUMDB),
        "toolchain-unverified": Text("{cause}", _VERIFIES_TOOLCHAIN),
        "certificate": Text(
            "{cause}",
            "This machine does not trust that certificate. If a company's proxy inspects TLS, name a file with its "
            "certificate in SSL_CERT_FILE.",
        ),
        "go-too-old": Text("{cause}", "Install that Go. With GOTOOLCHAIN=auto, Go downloads it in every job."),
        "no-toolchain": Text(
            "{cause}",
            "The proxies lack this Go for this platform. Check the `go` and `toolchain` lines of go.mod and go.work.",
        ),
        "malformed": Text("{cause}", "Correct the line, or restore the file from version control."),
    },
    "git-unreadable": {
        "": "{cause}",
        "no-host": Text(
            "{cause}",
            "The host of the module cannot be reached from this machine. Check its name and the network. For a host "
            "behind a VPN or an HTTP proxy, check both.",
        ),
        "certificate": Text(
            "{cause}",
            "git does not trust the certificate of that host. Name a file with the certificate of its authority in "
            "GIT_SSL_CAINFO, or with `git config --global http.sslCAInfo FILE`.",
        ),
        "server": Text("{cause}", "The git server failed or limits requests. Try again later."),
    },
    "proxy-unavailable": {
        "": _UNAVAILABLE,
        "http-proxy": Text(
            _UNAVAILABLE,
            "The HTTP or SOCKS proxy (HTTPS_PROXY, HTTP_PROXY) failed. Check its address and login. Add hosts that "
            "need none to NO_PROXY.",
        ),
        "refused": Text(
            _UNAVAILABLE,
            "The proxy denies access. Check the login in its URL or in netrc, and its permissions. It may also block "
            "these modules on purpose.",
        ),
        "no-network": Text(
            "No name could be resolved ({hosts:list}). Is there a network?\n{failures:missing}\n{cause}",
            "Check the network and the name servers of this machine or container. If it has an HTTP proxy, set "
            "HTTPS_PROXY.",
        ),
        "no-such-host": Text(_NO_HOST, "Check the spelling in the input goproxy (GOPROXY)."),
        "misspelt-host": Text(_NO_HOST, "Did you mean {meant:list}? Check the input goproxy (GOPROXY)."),
        "certificate": Text(
            _UNAVAILABLE,
            "This machine does not trust that certificate. If a company's proxy inspects TLS, name a file with its "
            "certificate in SSL_CERT_FILE. An expired certificate, or one for another name, must be replaced.",
        ),
        "not-connected": Text(
            _UNAVAILABLE,
            "Check the address and the port in the input goproxy (GOPROXY), and whether a firewall blocks them.",
        ),
        "clear-text": Text(
            _UNAVAILABLE,
            "A password is sent over https only. Write `https://` in goproxy (GOPROXY), or leave out the login.",
        ),
        "redirects": Text(
            _UNAVAILABLE,
            "The redirects of the server cannot be followed. Check the URL in the input goproxy (GOPROXY).",
        ),
        "handshake": Text(
            _UNAVAILABLE,
            "The server accepts connections and does not begin TLS. Check that the port in the input goproxy (GOPROXY) "
            "is one for https, and whether a firewall or an HTTP proxy stops TLS.",
        ),
        "content": Text(
            _UNAVAILABLE,
            _NO_MODULES,
        ),
        "limited": Text(
            _UNAVAILABLE,
            "The proxy limits the rate of requests. Name another proxy after `|` in the input goproxy, or try again "
            "later.",
        ),
        "silent": Text(
            _UNAVAILABLE,
            "The server accepts connections and does not answer. Name another proxy after `|` in the input goproxy, "
            "or try again later.",
        ),
    },
    "module-not-found": {
        "": "{count:#file} could not be downloaded.\n{failures:attempts}",
        "go": Text(
            "No proxy has {count} of the files that Go needs.\n{failures:attempts}\n{cause}",
            "Check the version, and whether the module is public. Private modules belong in GOPRIVATE.",
        ),
        "slow-origin": Text(
            "{count:#file} could not be downloaded.\n{failures:attempts}\n{cause}",
            "The proxy could not fetch these versions from their origin in time. Try again in a few minutes.",
        ),
    },
    "checksum-mismatch": {
        "": "SECURITY: {module_file} does not match go.sum (from {sources:then}).\n{stderr}",
        "not-downloaded": "{cause}\nBefore that, it could not be downloaded.\n{failures:attempts}",
        "content": Text(
            "{cause}\nBefore that, it could not be downloaded.\n{failures:attempts}",
            _NO_MODULES,
        ),
        "tree": Text("{version} does not match go.sum: {tree}.", "`go-prefetch verify --fix` removes it."),
        "tree-stays": Text(
            "{version} in the module cache does not match go.sum, and cannot be removed.",
            "Remove {tree} yourself before you build.",
        ),
    },
    "go-stalled": {
        "": "{cause}\n  waiting for {remotes:list}\n  (no progress for {silence:g} s, {times} times)",
        "sumdb": Text(
            "The checksum database does not answer.\n{cause}\n  waiting for {remotes:list}\n"
            "  (no progress for {silence:g} s, {times} times)",
            _ASKS_SUMDB,
        ),
        "toolchain-unverified": Text(
            "The checksum database does not answer.\n{cause}\n  (no progress for {silence:g} s, {times} times)",
            _VERIFIES_TOOLCHAIN,
        ),
        "unknown": "{cause}\n  (no progress for {silence:g} s, {times} times)",
    },
    "git-stalled": {
        "": f"{_GIT_STALLED}\n  for {{modules:list}}",
        "unknown": _GIT_STALLED,
    },
    "deadline-passed": "The deadline has passed.\n{failures:tried}\n{failures:missing}\n{cause}",
    "disk-full": {
        "": "The disk is full, with {free:size} free at {place} ({words}).",
        "needed": "The disk is full: about {needed:size} more are to be downloaded, with {free:size} free at {place} "
        "({words}). Go unpacks them in addition.",
        "go": "The disk is full: Go needs {needed:size} to unpack modules, with {free:size} free at {place}.\n{cause}",
    },
    "folder-unwritable": {
        "": "The modules cannot be written to {place}: {words}.",
        "read-only": Text(
            "The modules cannot be written to {place}: {words}.",
            "Name another folder (GOMODCACHE, or the folder to fill), or mount this one writable.",
        ),
        "pool": Text(
            "The pool cannot be pruned at {place}: {words}.",
            "Prune as the user who owns its files, or give this user write access to them.",
        ),
    },
    "proxy-unusable": "{name} is unusable: {words}.",
    "no-verdict": "Go could not check the module cache: {cause}",
    "system-error": "{what} cannot be read or written: {words}.",
    "internal-error": "go-prefetch failed because of a mistake of its own:\n{words}",
    "interrupted": {
        "": "Interrupted.",
        "modules": "Interrupted. What has arrived stays. The next go command verifies it and downloads the rest.",
    },
    "api-rate-limit": "The rate limit of {api} is exceeded until {clock}.",
    "api-unreachable": {
        "": "{api} did not answer {path}: {words}.",
        "certificates": Text("{words}.", "Check REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE."),
    },
    "api-refused": {
        "": "{api} answered {path} with {status}{words}.",
        "no-log": "{api} gave no address for a log.",
        "other-shape": "{api} answered {path} with JSON of an unexpected shape.",
    },
    "gate-missed": "The report missed {count:#gate}.\n{gates:gates}",
    "store-archive": "A new entry for the store could not be created: {words}.",
    "store-client-missing": "{store} needs a client that is not installed: obstore.",
    "store-damaged": {
        "gone": "Entry {key} of the store is gone.",
        "exchanged": "The entry of the cache service was removed or replaced while it was read (status {status}).",
        "files": "{place} has {count:#damaged file}, {files:list}: {problem}.",
        "more-files": "{place} has {count:#more damaged file}.",
        "in-use": "{module_file} was not restored from the entry: {problem}.",
        "entry": "Entry {key} of the store is damaged: {problem}.",
        "outputs": "The entry of the store has {count:#output} whose size is not what Go noted.",
    },
    "store-denied": {
        "": Text(
            "{store} denied requests: {words}.",
            "The run continues without it. Check the credentials of this job, and what they may do with this pool. "
            "Without the right to list, a bucket denies what it lacks too: then the pool may only be empty.",
        ),
        "login": "{store} did not accept the login: {words}.",
    },
    "store-limited": "{store} takes no more requests for now: {words}.",
    "store-no-room": {
        "entry": "The entry of the store needs {needed:size} in {folder}, and {free:size} are free.",
        "pool": "{store}: {count:#file} would use more than half of the free disk space before verification.",
    },
    "store-refused": "The cache service answered with status {status} ({call}).",
    "store-slow": {
        "no-time-to-read": "No time is left to read the entry of the store.",
        "no-time-to-unpack": "No time is left to unpack the entry of the store.",
        "pace": "The cache service sends {megabytes_per_second:.2f} MB/s, which is too slow for the remaining time.",
        "upload": Text("The store is slow.", "Nothing was saved. A later run tries again."),
        "pool-save": Text("{store} is slow.", "Files that were saved stay there."),
        "pool-restore": "{store} is slow.",
    },
    "store-unreachable": {
        "attempt": "An attempt at the cache service failed ({call}): {words}.",
        "call": "The cache service did not answer ({call}): {words}.",
        "objects": Text(
            "{store} did not answer: {words}.",
            "The run continues without it. Check its address, the network, and the proxy variables (HTTPS_PROXY).",
        ),
        "reading": Text(
            "The entry of the cache service could not be read: {words}.", "The rest is downloaded or compiled."
        ),
        "no-new-url": Text(
            "The entry of the cache service could not be read: {cause}", "The rest is downloaded or compiled."
        ),
        "certificates": Text("The cache service cannot be asked: {words}.", "Correct that variable."),
    },
    "store-unreadable": {
        "": "{place} has {count:#file} that cannot be read, {files:list}: {words}.",
        "root": "{store} cannot be read: {words}.",
    },
    "store-unusable": "{store} cannot be used: {words}.",
    "store-unwritable": "{store} does not accept more files: {words}.",
    "credentialed-not-kept": "Not kept, because a proxy with credentials sent them: {count:#file}.",
    "fast-verification": {
        "": "Fast verification was inconclusive, so `go mod download` verifies these modules: {cause}",
        "no-folder": "Fast verification has no folder ({words}), so `go mod download` verifies these modules.",
    },
    "files-not-needed": "{count:#file} of go.sum could not be downloaded. Go needed none of them.\n{failures:attempts}",
    "files-rejected": {
        "replaced": "Go rejected {count:#file} from {source}. Another source sent a good copy.",
        "removed": "Go rejected {count:#file} from {source}. There was no replacement.",
    },
    "folder-not-verified": "Go did not verify the files, and they were not changed: {cause}",
    "go-sum-changed": "Go changed {name}.",
    "go-sum-lacks": "{name} has no hash of {modules:list}.",
    "plan-incomplete": {
        "mods": (
            "{definition}: neither a go.sum nor go.work.sum has a hash of {count:#go.mod file} that Go reads: "
            "{modules:list}."
        ),
        "zips": (
            "{definition}: neither a go.sum nor go.work.sum has a hash of {count:#module} that Go selects: "
            "{modules:list}."
        ),
        "graph": Text(
            "{definition}: {count:#go.mod file} that decides what Go selects could not be read: {modules:list}.",
            "Go reads the rest itself. Without a network, a build may lack modules.",
        ),
    },
    "go-sum-line-ignored": {
        "": "{source}:{number}: {problem}. The line is ignored.",
        "lines": "go.sum has {count:#line} that cannot name a module version. They are ignored.\n{lines:lines}",
    },
    "folder-outside-workspace": (
        "{workspace} does not list {definition}. The plan is for the workspace, without this module."
    ),
    "edit-by-hand": {
        "flow-steps": Text(
            "{place}: The steps are in brackets, so no line can be inserted.",
            "Write one step on each line, and run `go-prefetch init` again.",
        ),
        "order": Text(
            "{place}: No place for the step was found: a go command comes before the checkout.",
            "Add `- uses: org/go-prefetch@v1` after the checkout and setup-go.",
        ),
        "gitlab-cache": Text(
            "{place}: Job {job} has a cache, which replaces the one of go-prefetch.",
            "Make `cache` a list that begins with `- !reference [.go-prefetch, cache]`.",
        ),
        "gitlab-default-cache": Text(
            "{place}: Jobs that extend .go-prefetch no longer use this cache: {jobs:list}.",
            "If they need it, give each `cache` a list: `- !reference [.go-prefetch, cache]`, then this cache.",
        ),
        "gitlab-extends": Text(
            "{place}: `extends` of job {job} cannot be added by an insertion.",
            "Let the job extend .go-prefetch, and run `go-prefetch init` again.",
        ),
        "gitlab-goproxy": Text(
            "{place}: Job {job} sets GOPROXY, so Go does not read the folder of modules.",
            "Remove the variable, and use the input goproxy of the component.",
        ),
        "gitlab-include": Text(
            "{place}: The component cannot be added to `include` by an insertion, so no job was changed.",
            "Make `include` a list with one item on each line, and run `go-prefetch init` again.",
        ),
        "setup-go-cache": Text(
            "{place}: setup-go caches modules too, and an insertion cannot change that.",
            "Set `cache: false` in this step.",
        ),
    },
    "job-left": {
        "no-checkout": "{place}: Job {job} has Go, but no checkout, so it has no go.sum. It was left as it is.",
        "no-python": Text(
            "{place}: Job {job} runs in {image}, which may lack Python. It was left as it is.",
            "If the image has Python 3.10 or newer, add the step by hand.",
        ),
    },
    "workflow-not-understood": {
        **{case: f"{{place}}: {reason} The file was left as it is." for case, reason in _NOT_UNDERSTOOD.items()},
    },
    "workflow-unreadable": "{path} cannot be read: {words}.",
    "go-mod-skipped": "{cause:line}. A search found this file, and it was skipped, because it is not a module.",
    "go-sum-missing": "go.sum has no line for any module that {definition} requires.",
    "go-sum-stale": "No proxy has {count:#file} of go.sum.\n{failures:attempts}",
    "mod-files-removed": "{count} .mod files were removed, because too many files from the same source were wrong.",
    "mod-files-unchecked": "Some .mod files could not be checked and were not saved: {cause}",
    "outputs-refused": "The outputs or the job summary could not be written: {words}.",
    "pool-not-trimmed": {
        "": "Files that the plan does not name could not be removed from {pool}: {words}.",
        "limits": "The pool {pool} could not be trimmed to its limits: {words}.",
    },
    "cgo-unknown": "Not all modules are on this machine, so it is unknown whether one needs cgo. It is off.",
    "embed-excluded": "{source} embeds {path}, which {ignore} excludes. The image build lacks it.",
    "embed-untracked": "{source} embeds {path}, which git does not track. The image build may lack it.",
    "direct-left-to-go": "No proxy sent {count:#module version}, which Go fetches itself, because the list ends in "
    "`direct`: {modules:list}.",
    "private-left-to-go": "Go fetches {count:#private module version} itself: {modules:list}.",
    "api-rate-limit-wait": "Rate limit of {api}: waiting until {clock}.",
    "proxy-limited": {
        "": "{proxy} limits the rate of requests. It refused {refusals:#request}.",
        "waited": (
            "{proxy} limits the rate of requests. It refused {refusals:#request}, and downloads waited {seconds:time}."
        ),
    },
    "report-incomplete": "The report is incomplete. {cause}",
    "reports-unwritable": "The reports could not be written: {words}.",
    "stale-objects": "GOCACHE may contain objects that were built from a wrong module.",
    "build-cache-unwritable": "Build results could not be written to {folder}: {words}.",
    "build-state-unwritable": "What was restored could not be noted in {path}: {words}.",
    "test-cache-index": {
        "locked": "test-cache: Files have new times, but another git holds the index of {folder}.",
        "changed": "test-cache: Files have new times, but another git changed the index of {folder} meanwhile.",
        "git": Text(
            "test-cache: git could not compare the files of {folder}, or not in time. They have the present time.",
            "Test results of this checkout are not found again.",
        ),
        "system": "test-cache: Files have new times, but the index of {folder} could not be written: {words}.",
    },
    "test-cache-skipped": {
        "no-repository": Text(
            "test-cache: {folder} is in no git repository, so its files keep their times.",
            "Check the project out with git before this step.",
        ),
        "not-trusted": Text(
            "test-cache: The repository {folder} belongs to another user, so its files keep their times.", _TRUST
        ),
        "locked": Text(
            "test-cache: Another git holds the index of {folder}, so its files keep their times.",
            "If no git is running, remove the file `index.lock` in its git folder.",
        ),
        "git": "test-cache: git could not list the files of {folder}, or not in time. They keep their times.",
        "system": "test-cache: The files of {folder} keep their times: {words}.",
        "files": "test-cache: {count:#time} of files and folders in {folder} could not be set: {words}.",
    },
    "trace-unwritable": "trace: {path} cannot be written: {words}.",
    "pool-file-wrong": {
        "removed": "{name} was wrong, and was removed from {store}: {words}",
        "stays": "{name} is wrong, and could not be removed from {store}: {words}",
    },
    "pool-not-verified": "Not all files in {store} were verified: {cause}",
    "tree-removed": {
        "": "{version} in the module cache did not match go.sum. It was removed, so that Go unpacks it again.",
        "folder": "{version} did not match go.sum and was removed: {folder}. Go unpacks it again.",
    },
    "tree-unchecked": "{version} was not checked.",
    "trees-replaced": {
        "wrong": "Unpacked modules in the module cache did not match go.sum: {modules:list}. They were removed, so "
        "that Go unpacks them again.",
        "not-compared": "Unpacked modules in the module cache could not be compared with go.sum: {modules:list}. "
        "They were removed, so that Go unpacks them again. {cause}",
    },
    "trees-unchecked": {
        "": "Unpacked modules in the module cache were not checked: {cause}",
        "count": "{count:#present module} could not be checked.",
    },
    "unknown-variable": "Unknown environment variable {name}.",
    "build-cache-off": {
        "program": "The build cache is left alone, because GOCACHEPROG names a program that keeps it.",
        "disabled": "The build cache is left alone, because GOCACHE is {gocache}.",
        "input": "The build cache is off, because `build-cache` is false.",
        "publishes": "The build cache is off, because the job runs on {event} and may publish something.",
        "from-outside": "The build cache is off, because outsiders can start jobs on {event}, with the secrets of the "
        "repository.",
        "tag": "The build cache is off, because the job runs for a tag and may publish something.",
        "environment": "The build cache is off, because the job deploys to the environment {environment}.",
        "unreadable": "The build cache is off, because cache-mode is {mode}.",
        "unshared": "The build cache is off, because no other machine can read the store. Name a pool with "
        "`store: dir:PATH` to keep it on this machine.",
        "no-listing": "The build cache is off, because an HTTP server does not list its files. Name a bucket, or a "
        "pool with `store: dir:PATH`.",
        "empty": "The build cache is off, because the store has none and this job may not save one.",
    },
    "cache-mode": "cache-mode is {mode}.",
    "duplicate-cache": "An earlier step (setup-go?) already restored {count} of {total} modules. They are cached twice "
    "and were not verified.",
    "toolchain-planned": "The go.mod or go.work selects {toolchain}, and {installed} is installed. Go unpacks that "
    "toolchain in every job.",
    "cache-over-limit": {
        "over": "The caches of this repository hold {bytes:size}, and its limit is {limit:.0f} GiB. GitHub evicts the "
        "entries that were read least recently. Delete or shrink the largest family.",
        "cost": "The caches of this repository hold {bytes:size}, and 10 GiB are free. The rest costs about "
        "${dollars:.2f} a month.",
        "unknown": "The caches of this repository hold {bytes:size}, and 10 GiB are free. GitHub evicts the entries "
        "that were read least recently. If the limit was raised, the rest costs about ${dollars:.2f} a month.",
    },
    "caches-not-listed": {
        "no-client": "PyGithub is not installed. It comes with the package from PyPI.",
        "late": "GitHub did not answer in time.",
    },
    "default-branch-unsaved": "No run of {branch} has saved an entry of {families:list}. Pull requests and the merge "
    "queue do not read the entries of others, so they start without a cache. Run the workflow for pushes to {branch} "
    "too.",
    "entry-base-gone": "An entry that the new one adds to is gone.",
    "entry-complete": "An entry has all these files, although not all of them were restored.",
    "entry-taken": "Another job saves this entry, or has saved it.",
    "entry-unused": {
        "pull-closed": "Pull request {number} is closed.",
        "branch-gone": "Branch {branch} is gone.",
        "idle": "Nothing of its scope was read since {read:%Y-%m-%d}.",
        "saved-again": "The same modules were saved again later.",
        "covered": "A full entry has all of its modules.",
        "orphan": "Its full entry is gone.",
        "delta-replaced": "Its full entry was replaced, and it was not read since.",
        "full-replaced": "A newer full entry replaced it, and it was not read since.",
        "build-replaced": "A newer entry of the same build cache replaced it, and it was not read since.",
    },
    "merge-request-note": {
        "written": "The summary was written as a note on the merge request.",
        "updated": "The note on the merge request was updated.",
        "no-merge-request": "No merge request note: this pipeline has no merge request.",
        "no-token": Text(
            "No merge request note: {variable} is not set for this job.",
            "If it is a protected variable, jobs of other branches do not get it.",
        ),
        "refused": "No merge request note: GitLab answered {status} {reason}.",
        "malformed": "No merge request note: GitLab answered something other than JSON.",
        "failed": "No merge request note: {words}.",
    },
    "entry-too-slow": "There is an entry, but it could not be read in time.",
    "failure-ignored": "The run failed. The job goes on, because `on-failure` is warn.",
    "fill-keeps-folder": "`fill` keeps the modules in its folder.",
    "no-go-job": "No workflow has a job that uses Go, so there is nothing to change.",
    "build-cache-left-out": (
        "{place}: Job {job} looks like one that publishes, so its step has no build cache, which nothing can verify."
    ),
    "step-superfluous": {
        "module-cache": Text(
            "{place}: The module cache is cached here too.",
            "Remove it, or take the module cache out of its paths. Otherwise modules are cached twice.",
        ),
        "retries": Text(
            "{place}: This step retries `go mod download`, which go-prefetch does.",
            "Remove it if you like.",
        ),
    },
    "inconclusive": {
        "no-database": "Go compares nothing with the checksum database, because GOSUMDB is off.",
        "not-listed": "The pool cannot be listed, so only files that a go.sum names were checked.",
        "no-time": "No time is left.",
        "stubs": "The folder for the check could not be made: {words}.",
        "zips": "The zips could not be removed: {words}.",
        "not-ended": "`{command}` did not start, or did not end in time.",
        "output": "`{command}` ended with status {status} and {count:#line}: {stderr}",
        "trees-not-listed": "`go list -m` did not name the trees that are checked.",
        "zips-not-listed": "`go list -m` did not name the zips that are checked.",
    },
    "no-build-state": "Nothing was saved: at the beginning of the job, no restore ran or the build cache was off.",
    "no-cache-folder": "No cache folder is known, because HOME is not set.",
    "no-cache-service": {
        "": "No cache service is offered to this step.",
        "token": Text(
            "No cache service is offered to this step: ACTIONS_RUNTIME_TOKEN is not set.",
            "Use the action, because a runner gives that token to actions only, or use a pool.",
        ),
    },
    "no-requirements": {
        "": "{definition} requires no modules.",
        "workspace": "No module of {definition} requires another.",
    },
    "nothing-in-scope": "{reasons:reasons}",
    "not-saved": {
        "": "{count} modules match {variable}.",
        "one": "1 module matches {variable}.",
        "login": "A proxy required a login for {count:#module}.",
        "go-login": "Go may have used a login for {count:#module} (GOAUTH).",
        "several": "{reasons:reasons}",
    },
    "nothing-to-save": {
        "stored": "The store already has all files.",
        "unverified": "There is no new file that Go has verified.",
        "present": "Nothing was missing.",
        "compiled": "The job compiled nothing that the store lacks.",
        "incomplete": "The job did not succeed, and did not have all results that the store has.",
    },
    "run-failed": "The run failed.",
    "save-disabled": "`save` is false.",
    "save-restricted": {
        "event": "Jobs of the event {event} do not save to a shared pool.",
        "merge-queue": "Jobs of a merge queue do not save to a shared pool. The run after the merge does.",
        "merge-request": "Jobs of merge requests do not save to a shared pool.",
        "branch": "Only jobs of the default branch and of protected branches and tags save to a shared pool.",
        "ci": "This CI does not say which branch the job runs for, so nothing is saved to a shared pool.",
        "login": "There are no credentials for the pool.",
    },
    "save-unshared": {
        "merge-queue": "No other run can read what a merge queue saves.",
        "tag": "No other run can read what the run of a tag saves.",
    },
    "store-failed": "The store failed.",
    "store-none": "`store` is none.",
    "store-not-allowed": {
        "token": Text(
            "The cache service does not accept the job's token, or no longer does.",
            "The token has expired, or the job has none. A later run tries again.",
        ),
        "rate-limit": "The cache service limits the rate of requests, and takes no more for now.",
        "forbidden": "The cache service does not allow this with the job's token.",
        "not-taken": "The cache service did not accept the entry.",
        "in-words": "The cache service answered: {words}.",
    },
    "vendored": (
        "{folder} is vendored: Go builds from vendor/ and does not use the module cache. Jobs that run `go mod tidy` "
        "or `go mod vendor` need `for-tidy: true`. `go list -m all` needs GOFLAGS=-mod=mod too."
    ),
}
