"""Every finding `go-prefetch docker --check` knows: its name, the rule that finds it, what to do instead."""

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
        "COPY go.mod go.sum ./ first, run `go mod download`, then COPY the rest: else every change downloads all"),
    Row("no-download-layer", layer_rules.no_download_layer,
        "COPY go.mod go.sum ./ and RUN go mod download before COPY . ."),
    Row("go-sum-not-copied", layer_rules.go_sum_not_copied,
        "COPY go.mod go.sum ./: without go.sum nothing checks what is downloaded"),
    Row("arg-before-download", layer_rules.arg_before_download,
        "Declare it after the download: RUN sees every ARG above it, so another value is another layer"),
    Row("cache-mount-lost", layer_rules.cache_mount_lost,
        "Give both the same --mount=type=cache, or download without one"),
    Row("go-mod-changed", layer_rules.go_mod_changed,
        "Commit go.mod and go.sum, and build with GOFLAGS=-mod=readonly"),
    Row("latest-tag", source_rules.latest_tag,
        "Name a version, and a digest if the build must be repeatable"),
    Row("go-install-latest", source_rules.go_install_latest,
        "Name a version: go install TOOL@v1.2.3"),
    Row("lone-file-proxy", source_rules.lone_file_proxy,
        "Write file:///gomod,off (or ,https://…): with a single file:// URL Go skips its check of toolchains"),
    Row("dockerignore-lacks", source_rules.dockerignore_lacks,
        "Name them in .dockerignore: `go-prefetch docker --dockerignore`"),
    Row("dockerignore-hides", source_rules.dockerignore_hides,
        "Take the pattern out of .dockerignore, or add a `!` line after it"),
    Row("secret-in-arg", secret_rules.secret_in_arg,
        "RUN --mount=type=secret,id=NAME,env=NAME …: it is in no layer, no history and no cache key"),
    Row("secret-in-env", secret_rules.secret_in_env,
        "RUN --mount=type=secret,id=NAME,env=NAME … where it is needed, and nowhere else"),
    Row("secret-copied", secret_rules.secret_copied,
        "RUN --mount=type=secret,id=netrc,target=/root/.netrc … instead"),
    Row("secret-in-layer", secret_rules.secret_in_layer,
        "RUN --mount=type=secret,id=netrc,target=/root/.netrc … instead: git and Go read it there"),
)  # fmt: skip


# Rules look at all that leads to a stage, for each stage: far above what any builder can make layers of.
_MOST_INSTRUCTIONS, _MOST_LOOKED_AT = 2_000, 50_000


def check(text: str, context: Context) -> tuple[Finding, ...]:
    """What is to be said of a Dockerfile built in `context`, by line. A comment can waive a finding below it."""
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
    """Raises InputError for a Dockerfile that would take too long."""
    count = len(subject.dockerfile.instructions)
    if count > _MOST_INSTRUCTIONS or sum(len(history) for _, history in subject.histories) > _MOST_LOOKED_AT:
        raise too_large("the Dockerfile", f"it has {count} instructions, those of common stages not counted again")
