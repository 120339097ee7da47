"""The table of all findings of `go-prefetch docker --check`: name, severity, what to do instead.

They are about Go's modules. For everything else there are `docker build --check` and hadolint.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from go_prefetch.docker import image_rules, layer_rules
from go_prefetch.docker.context import Context, too_large
from go_prefetch.docker.rule import Rule, histories
from go_prefetch.docker.stages import Dockerfile, read_stages


class Severity(str, Enum):
    """An error costs time in every build, or breaks it. A note is a trade."""

    ERROR = "error"
    NOTE = "note"


class Finding(NamedTuple):
    """One line of the result; findings sort by line, then by name."""

    line: int
    slug: str
    what: str


class Row(NamedTuple):
    """What there is to say about every finding of a name."""

    severity: Severity
    instead: str


RULES: tuple[Rule, ...] = (
    layer_rules.copy_before_download,
    layer_rules.modules_at_build,
    layer_rules.cache_mount,
    layer_rules.value_before_download,
    image_rules.old_image,
    image_rules.lone_file_proxy,
    image_rules.dockerignore_hides,
    image_rules.stamp_lost,
)

FINDINGS = {
    "copy-before-download": Row(Severity.ERROR,
        "Every change of it downloads all modules again. Copy go.mod and go.sum of each module, run `go mod download`, "
        "then copy the rest"),
    "no-download-layer": Row(Severity.ERROR,
        "Every change of a source downloads them again. COPY go.mod go.sum ./ and RUN go mod download before it"),
    "modules-lost": Row(Severity.ERROR,
        "The build downloads them again. Keep them until the build, and use the same mounts and stage for both"),
    "cache-mount": Row(Severity.NOTE,
        "On runners that are new each time, use a layer or the folder of `docker --output`"),
    "value-before-download": Row(Severity.ERROR,
        "A RUN sees every value above it, so another value downloads all modules again. Move it below the download"),
    "old-image": Row(Severity.ERROR,
        "The build fails or downloads another Go each time. Use an image with that Go"),
    "lone-file-proxy": Row(Severity.ERROR,
        "Go then skips its check of toolchains. Use file:///gomod,off (or ,https://…)"),
    "dockerignore-hides": Row(Severity.ERROR,
        "The build fails or is not verified. Remove the pattern from .dockerignore, or add a `!` line after it"),
    "stamp-lost": Row(Severity.NOTE,
        "With .git, every commit rebuilds the layer of sources. Pass the version with -ldflags -X instead, or add "
        "-buildvcs=false if none is wanted"),
}  # fmt: skip

# A rule reads everything that leads to a stage, for each stage. This is far above the layers that a builder supports.
_MOST_INSTRUCTIONS, _MOST_LOOKED_AT = 2_000, 50_000


def check(text: str, context: Context) -> tuple[Finding, ...]:
    """Check a Dockerfile built in `context`. Return the findings by line. A comment can waive a finding below it."""
    dockerfile = read_stages(text)
    _refuse_too_many(dockerfile)
    waived = {each.line: each.ignored for each in dockerfile.instructions}
    found = {
        Finding(line, slug, what)
        for history in histories(dockerfile, context)
        for rule in RULES
        for slug, line, what in rule(history)
        if slug not in waived.get(line, frozenset())
    }
    return tuple(sorted(found))


def _refuse_too_many(dockerfile: Dockerfile) -> None:
    """Raise InputError for a Dockerfile that would take too long."""
    count = len(dockerfile.instructions)
    if count > _MOST_INSTRUCTIONS or sum(len(stage.history) for stage in dockerfile.last_stages) > _MOST_LOOKED_AT:
        raise too_large("the Dockerfile", f"it has {count} instructions, those of common stages not counted again")
