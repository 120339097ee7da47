"""The flags and arguments that one command has: rows as in inputs.py, without variables."""

from __future__ import annotations

from dataclasses import replace

from go_prefetch.config.choices import BuildCacheAction, CacheAction, DiagnosisFormat, DockerfileKind, PlanFormat
from go_prefetch.config.inputs import BY_NAME, Group, Input
from go_prefetch.config.kinds import DURATION, PLATFORMS, SWITCH, Kind, choice, name_of_file, text_lines, whole_number

_MOST_SAMPLES = 1000
_DIR = name_of_file("DIR", "a folder name")


def _row(name: str, default: str, meaning: str, kind: Kind, group: Group = Group.OUTPUT, *, alone: str = "") -> Input:
    shown = default or "none"
    return Input(
        name, default, meaning, kind, group, in_action=False, default_shown=shown, alone=alone, has_variable=False
    )


PLAN: tuple[Input, ...] = (
    _row("format", "text", "Format of the plan. `github`: the step outputs key, restore-keys and path for the official "
         "cache action.", choice(PlanFormat)),
    _row("modules", "false", "List every module version.", SWITCH),
)  # fmt: skip
VERIFY: tuple[Input, ...] = (_row("fix", "false", "Remove modules that do not match go.sum.", SWITCH, Group.TASK),)
DOCTOR: tuple[Input, ...] = (
    _row("also", "", "Another proxy to measure. You can repeat it.", text_lines("URL", "URLs, one per line"),
         Group.PROXIES),
    _row("samples", "10", "Number of requests to each source.", whole_number(1, _MOST_SAMPLES), Group.LIMITS),
    _row("watch", "", "Go on measuring for this time, and show how the figures change. Ctrl-C ends it and prints what "
         "was measured.", DURATION, Group.LIMITS),
    _row("format", "text", "Format of the diagnosis.", choice(DiagnosisFormat)),
)  # fmt: skip
FILL_TABLE: tuple[Input, ...] = (
    Input("toolchain-platform", "", "Fill in the Go toolchain that go.mod selects too, for this platform, such as "
          "linux/amd64. You can repeat it. Jobs need it if their Go is older.", PLATFORMS, Group.JOB, in_action=False,
          default_shown="none"),
)  # fmt: skip
FILL = _row("folder", "", "Folder to fill: new, empty, or filled before.", _DIR)
DOCKER: tuple[Input, ...] = (
    _row("output", "", "Fill this folder with the modules, from the module cache, the pool and the proxies. The build "
         "reads it as GOPROXY=file:///gomod,off. The bytes do not depend on the source.", _DIR, Group.TASKS),
    _row("dockerfile", "", "Print a Dockerfile for your module. `buildkit`: the folder is a named context. `plain`: it "
         "is in the build context, for other builders.", choice(DockerfileKind), Group.TASKS, alone="buildkit"),
    _row("check", "", "Check this Dockerfile. The exit status is 1 if there is a finding.",
         name_of_file("DOCKERFILE", "a file name"), Group.TASKS),
    _row("dockerignore", "false", "Write .dockerignore. If there is one, list what it does not exclude and exit with "
         "1. Print the size of the context before and after.", SWITCH, Group.TASKS),
    _row("context", ".", "The build context.", _DIR, Group.JOB),
)  # fmt: skip
INIT: tuple[Input, ...] = (
    _row("write", "false", "Write the changes without a question.", SWITCH, Group.TASK),
    _row("check", "false", "Write nothing. The exit status is 1 if something would change.", SWITCH, Group.TASK),
)  # fmt: skip
# Rows of the main table with another default or meaning.
SYNC_TABLE: tuple[Input, ...] = (
    replace(BY_NAME["store"], meaning="The pool to fill. `dir:PATH`: a folder. `auto`: the default pool."),
    replace(BY_NAME["save-private"], default="false", meaning="Whether to save private modules too. All who can read "
            "the pool can then read them. `auto`: if the repository of this job is known to be private."),
    _row("check", "false", "Let Go check all that the pool holds, and remove what is wrong. Nothing is added.", SWITCH,
         Group.TASK),
    replace(BY_NAME["deadline"], meaning="Time limit for each project, or with --check for each part of the pool."),
    replace(BY_NAME["restore-deadline"], meaning="Time limit for reading the pool, for each project."),
    replace(BY_NAME["save-deadline"], meaning="Time limit for writing to the pool, for each project."),
)  # fmt: skip
CACHE = _row("action", "", "`dir`: print the path of the pool. `clean`: delete it.", choice(CacheAction))
BUILD_CACHE = _row(
    "action", "", "`restore`: fill GOCACHE. `save`: save what the job used of it. `status`: print what is there.",
    choice(BuildCacheAction),
)  # fmt: skip
BUILD_CACHE_TABLE: tuple[Input, ...] = tuple(
    replace(BY_NAME[name], **changed)  # type: ignore[arg-type]  # each text replaces a text
    for name, changed in {
        "working-directory": {},
        "store": {"meaning": "Where the build cache is kept between jobs. `auto`, `github`: the CI's cache service. "
                  "`dir:PATH`: a pool, which is a folder. `s3://BUCKET/PREFIX`, `gs://` or `az://`: a bucket."},
        "save": {"meaning": "Whether `save` saves anything. `auto`: if another run can read it."},
        "cache-name": {},
        "build-cache": {"default": "true", "meaning": "`false`: do nothing. `auto`: do nothing in jobs that publish."},
        "build-cache-name": {},
        "deadline": {"meaning": "Another time limit for `restore`. The shorter one counts."},
        "restore-deadline": {"meaning": "Time limit for `restore`."},
        "save-deadline": {"meaning": "Time limit for `save`."},
    }.items()
)  # fmt: skip
