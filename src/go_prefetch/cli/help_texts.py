"""What help says of the program and of each command. Flags describe themselves in the tables of `config`."""

from __future__ import annotations

from typing import NamedTuple


class HelpText(NamedTuple):
    """One command: a line of the list of commands, what it does and which flags matter, and examples."""

    meaning: str
    description: str
    examples: tuple[tuple[str, str], ...]  # a comment, and the command line


PROGRAM = (
    "Fill Go's module cache in CI. go-prefetch restores modules from a cache and downloads the rest. Go verifies "
    "every module against go.sum."
)

PROGRAM_EXAMPLES = (
    ("Fill the module cache for the project in this folder", "go-prefetch run"),
    ("Add go-prefetch to the workflows of this repository", "go-prefetch init"),
    ("Find slow proxies and common mistakes in your settings", "go-prefetch doctor"),
    ("Explain a command", "go-prefetch help docker"),
)

EPILOG = """\
Exit status:
  0    success, or nothing to do
  1    verify, doctor, docker or init found something, or a system or API failed
  2    an input is invalid
  3    go.mod, go.work or go.sum cannot be read, or is malformed
  4    go is missing, too old, or failed
  5    a download failed, or a module does not match go.sum
  6    a gate of report was missed
  130  interrupted (141: the reader of the output is gone)

Most flags are environment variables too: GO_PREFETCH_JOBS stands for --jobs.
A flag has precedence. Documentation: {url}"""

HELP = {
    "run": HelpText(
        "Fill the module cache. This is the main command.",
        "Restore modules from a cache, download the rest, and let Go verify every one. New modules are saved for the "
        "next run.\n\n"
        "Without flags, it reads the project in this folder and asks the proxies of `go env GOPROXY`. The flags that "
        "matter most are -C, --goproxy and --store.",
        (
            ("Fill the module cache for the project in this folder", "go-prefetch run"),
            ("Fill it for several modules, and keep modules in a folder",
             "go-prefetch run -C 'services/*' --store dir:/var/cache/go-pool"),
            ("Use another proxy first, and the next one after any error",
             "go-prefetch run --goproxy 'https://goproxy.cn|https://proxy.golang.org|direct'"),
        ),
    ),
    "plan": HelpText(
        "Print what `run` would do.",
        "Print the cache key, the modules and the paths that `run` would use. It downloads nothing and changes "
        "nothing.\n\n"
        "--modules lists every module. --format github prints what the official cache action needs.",
        (
            ("List every module", "go-prefetch plan --modules"),
            ("Print JSON for a program", "go-prefetch plan --format json"),
            ("Print the cache key and the path of a pool",
             "go-prefetch plan --format github --store dir:.go-pool"),
        ),
    ),
    "verify": HelpText(
        "Compare unpacked modules with go.sum.",
        "Compare the unpacked modules in the module cache with go.sum. The exit status is 1 if one differs.\n\n"
        "`go mod verify` compares them with hashes in the module cache instead. --fix removes modules that differ, so "
        "that Go unpacks them again.",
        (
            ("Find modules that were changed", "go-prefetch verify"),
            ("Remove them, then download them again", "go-prefetch verify --fix && go-prefetch run"),
        ),
    ),
    "doctor": HelpText(
        "Measure proxies and the store, and check settings.",
        "Measure every proxy and the store, check settings for common mistakes, and recommend a proxy list. The exit "
        "status is 1 if a proxy of your list is unusable.\n\n"
        "--also measures proxies that are not in your list. --samples makes the figures more exact. --watch measures "
        "for hours. With a token for GitHub, the caches of the repository are listed.",
        (
            ("Measure the proxies of your list", "go-prefetch doctor"),
            ("Compare them with two others",
             "go-prefetch doctor --also https://goproxy.cn --also https://goproxy.io"),
            ("Watch them for two hours", "go-prefetch doctor --watch 2h"),
            ("Add the result to a job summary",
             'go-prefetch doctor --format markdown >>"$GITHUB_STEP_SUMMARY"'),
        ),
    ),
    "fill": HelpText(
        "Fill a folder that Go reads as a proxy.",
        "Download modules into DIR. Go reads them offline with GOPROXY=file://DIR,off.\n\n"
        "It works without Go. If Go is installed, Go verifies the modules. Files in DIR that are not in the plan are "
        "removed, so DIR must be new, empty, or filled before.",
        (
            ("Fill a folder, then build offline",
             "go-prefetch fill gomod && GOPROXY=file://$PWD/gomod,off go build ./..."),
        ),
    ),
    "sync": HelpText(
        "Fill a pool from the go.sum files of many projects.",
        "Bring the modules of many projects into a pool that their jobs share. Go verifies every module against the "
        "go.sum of its project before it is saved.\n\n"
        "-C names the projects. A project that fails does not end the others: the exit status is that of the first "
        "one. Start it again at any time: nothing that the pool has is downloaded again. --for-tidy brings all modules "
        "that go.sum names, not only those of a build. Modules are unpacked in a folder in TMPDIR until the end.\n\n"
        "--check lets Go compare all that the pool holds with the go.sum of the projects. It compares other modules "
        "with the checksum database. Wrong files are removed, and the exit status is then 1. Private modules that no "
        "go.sum names are reported as not verified.",
        (
            ("Fill a pool from all checkouts below a folder", "go-prefetch sync -C 'src/**' --store dir:/srv/pool"),
            ("Mirror all that go.sum names, also for `go mod tidy`",
             "go-prefetch sync -C 'src/**' --for-tidy --store dir:/srv/pool"),
            ("Check the pool", "go-prefetch sync --check -C 'src/**' --store dir:/srv/pool"),
        ),
    ),
    "docker": HelpText(
        "Prepare an image build without network.",
        "Prepare an image build that needs no network. --output fills a folder with modules, and --dockerfile prints "
        "a Dockerfile that reads it.\n\n"
        "--check and --dockerignore look for mistakes that make builds slow, large or unsafe.",
        (
            ("Fill a folder, then build the image",
             "go-prefetch docker --output .gomod\n  docker build --build-context gomod=.gomod ."),
            ("Write a Dockerfile for your module", "go-prefetch docker --dockerfile >Dockerfile"),
            ("Check your Dockerfile and .dockerignore", "go-prefetch docker --check Dockerfile --dockerignore"),
        ),
    ),
    "init": HelpText(
        "Add go-prefetch to the workflows of a repository.",
        "Print what to add to .github/workflows or .gitlab-ci.yml, as a diff. On a terminal, it then asks whether to "
        "write it. Anywhere else, it writes with --write only.\n\n"
        "It only inserts text: comments, order and anchors stay. It adds the step after setup-go, turns off "
        "setup-go's own cache, and names what you can remove. Running it again changes nothing.",
        (
            ("Show the diff, and write it if you agree", "go-prefetch init"),
            ("Write without a question", "go-prefetch init --write && git diff"),
            ("Fail a job if a workflow lacks go-prefetch", "go-prefetch init --check"),
        ),
    ),
    "report": HelpText(
        "Show hit rate, time saved and failures over many runs.",
        "Show hit rate, time saved and failures over many runs on GitHub or GitLab. The gates let a job fail if a "
        "figure gets worse.\n\n"
        "The token comes from GH_TOKEN, GITHUB_TOKEN, `gh auth token` or GITLAB_TOKEN.",
        (
            ("Show the last two weeks", "go-prefetch report --repo owner/name --days 14"),
            ("Write a page with charts", "go-prefetch report --format html --output report.html"),
            ("Compare the runs before and after a change",
             "go-prefetch report --branch main --compare-at 2026-03-01"),
            ("Fail a job if the cache got worse",
             "go-prefetch report --days 7 --min-hit-rate 90% --max-p95-seconds 30"),
        ),
    ),
    "prune": HelpText(
        "Delete unused cache entries, or trim a pool.",
        "List which tools use GitHub's cache, and count the entries of go-prefetch that no run will read again. --pool "
        "counts modules of a pool instead. -v lists them.\n\n"
        "Nothing is deleted without --delete. A pool also needs --max-age or --max-size.",
        (
            ("List unused entries of a repository", "go-prefetch prune --repo owner/name -v"),
            ("Delete them", "go-prefetch prune --repo owner/name --delete"),
            ("Trim the default pool", "go-prefetch prune --pool --max-age 30d --max-size 5GB --delete"),
        ),
    ),
    "cache": HelpText(
        "Print the path of the pool, or delete it.",
        "Print the path of the pool, or delete the pool and print how many bytes that freed.\n\n"
        "`clean` asks nothing. It refuses a folder with any file that no run put there. --store chooses another "
        "pool. To remove unused modules only, use `prune --pool`.",
        (
            ("Show how much space the pool takes", 'du -sh "$(go-prefetch cache dir)"'),
            ("Delete the default pool", "go-prefetch cache clean"),
            ("Delete another pool", "go-prefetch cache clean --store dir:.go-pool"),
        ),
    ),
    "build-cache": HelpText(
        "Restore and save Go's build cache.",
        "Restore GOCACHE at the beginning of a job, or save at its end what the job used of it. `run --build-cache` "
        "restores too, and the action saves.\n\n"
        "Nothing can verify a build cache: anyone who can write to the store can change your build. Nothing is deleted "
        "from GOCACHE. A failure is a warning.",
        (
            ("Restore it before a build", "go-prefetch build-cache restore --store dir:/pool"),
            ("Save what a build used that succeeded",
             "GO_PREFETCH_JOB_STATUS=success go-prefetch build-cache save --store dir:/pool"),
            ("Keep the results of one job apart", "go-prefetch build-cache restore --build-cache-name race"),
            ("Show what is there", "go-prefetch build-cache status"),
        ),
    ),
}  # fmt: skip

# Other spellings of --help and --version, which are not commands of the table.
SPELLINGS = {
    "help": "Print the help of a command.",
    "version": "Print the version.",
}
