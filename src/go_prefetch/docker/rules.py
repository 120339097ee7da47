"""The table of all findings of `go-prefetch docker --check`: name, rule, what to do instead."""

from __future__ import annotations

from typing import NamedTuple

from go_prefetch.docker import layer_rules, secret_rules, source_rules
from go_prefetch.docker.context import Context, too_large
from go_prefetch.docker.rule import Finding, Rule, Subject
from go_prefetch.docker.stages import read_stages


class Row(NamedTuple):
    """One rule."""

    slug: str
    rule: Rule
    instead: str


RULES = (
    Row("copy-before-download", layer_rules.copy_before_download,
        "COPY go.mod go.sum ./, run `go mod download`, then COPY the rest, or every change downloads all modules"),
    Row("no-download-layer", layer_rules.no_download_layer,
        "COPY go.mod go.sum ./ and RUN go mod download before COPY . ."),
    Row("go-sum-not-copied", layer_rules.go_sum_not_copied,
        "COPY go.mod go.sum ./. Without go.sum the downloaded modules are not verified"),
    Row("arg-before-download", layer_rules.arg_before_download,
        "Declare it after the download. A RUN sees every ARG above it, so another value creates another layer"),
    Row("cache-mount-lost", layer_rules.cache_mount_lost,
        "Use the same --mount=type=cache for both, or download without one"),
    Row("go-mod-changed", layer_rules.go_mod_changed,
        "Commit go.mod and go.sum, and build with GOFLAGS=-mod=readonly"),
    Row("latest-tag", source_rules.latest_tag,
        "Name a version, and a digest if the build must be repeatable"),
    Row("go-install-latest", source_rules.go_install_latest,
        "Name a version: go install TOOL@v1.2.3"),
    Row("lone-file-proxy", source_rules.lone_file_proxy,
        "Use file:///gomod,off (or ,https://…). With a single file:// URL Go skips its check of toolchains"),
    Row("dockerignore-lacks", source_rules.dockerignore_lacks,
        "Add them to .dockerignore, for example with `go-prefetch docker --dockerignore`"),
    Row("dockerignore-hides", source_rules.dockerignore_hides,
        "Remove the pattern from .dockerignore, or add a `!` line after it"),
    Row("secret-in-arg", secret_rules.secret_in_arg,
        "Use RUN --mount=type=secret,id=NAME,env=NAME …: the secret is in no layer, no history and no cache key"),
    Row("secret-in-env", secret_rules.secret_in_env,
        "Use RUN --mount=type=secret,id=NAME,env=NAME … only where it is needed"),
    Row("secret-copied", secret_rules.secret_copied,
        "Use RUN --mount=type=secret,id=netrc,target=/root/.netrc …"),
    Row("secret-in-layer", secret_rules.secret_in_layer,
        "Use RUN --mount=type=secret,id=netrc,target=/root/.netrc …: git and Go read it there"),
)  # fmt: skip


# A rule reads everything that leads to a stage, for each stage. This is far above the layers that a builder supports.
_MOST_INSTRUCTIONS, _MOST_LOOKED_AT = 2_000, 50_000


def check(text: str, context: Context) -> tuple[Finding, ...]:
    """Check a Dockerfile built in `context`. Return the findings by line. A comment can waive a finding below it."""
    subject = Subject(read_stages(text), context)
    _refuse_too_many(subject)
    waived = {each.line: each.ignored for each in subject.dockerfile.instructions}
    found = {
        Finding(line, row.slug, what, row.instead)
        for row in RULES
        for line, what in row.rule(subject)
        if row.slug not in waived.get(line, frozenset())
    }
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.slug)))


def _refuse_too_many(subject: Subject) -> None:
    """Raise InputError for a Dockerfile that would take too long."""
    count = len(subject.dockerfile.instructions)
    if count > _MOST_INSTRUCTIONS or sum(len(history) for _, history in subject.histories) > _MOST_LOOKED_AT:
        raise too_large("the Dockerfile", f"it has {count} instructions, those of common stages not counted again")
