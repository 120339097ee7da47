"""Every finding of `docker --check`: a Dockerfile that has it, at a known line, and one that is right."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from go_prefetch.docker.context import read_context
from go_prefetch.docker.rules import FINDINGS, Finding, check

GO = "FROM golang:1.24-bookworm AS build\nWORKDIR /src\n"
DEPS = "COPY go.mod go.sum ./\nRUN go mod download\n"
BUILD = "COPY . .\nRUN go build -o /app .\n"
GOMOD = "module example.com/x\n\ngo 1.24.2\n\nrequire example.com/lib v1.0.0\n"


class Case(NamedTuple):
    """`bad` has the finding at `line`; `good` says the same rightly and does not have it."""

    slug: str
    bad: str
    line: int
    good: str
    files: tuple[str, ...] = ()  # in the build context, besides go.mod and go.sum
    ignored: str = ""  # .dockerignore


CASES = (
    Case("copy-before-download", f"{GO}COPY . .\nRUN go mod download\nRUN go build .\n", 3, GO + DEPS + BUILD),
    Case("copy-before-download", f"{GO}ADD ./ /src\nRUN set -eux; \\\n  go mod download -x\n", 3,
         GO + DEPS + "ADD ./ /src\n"),
    Case("copy-before-download", f"{GO}COPY go.mod go.sum *.go ./\nRUN go mod download\n", 3,
         GO + DEPS + "COPY *.go ./\n"),
    Case("copy-before-download", f"{GO}COPY . .\nFROM build AS two\nRUN go mod download\n", 3,
         f"{GO}{DEPS}FROM build\n{BUILD}"),
    Case("copy-before-download", f"{GO}COPY backend/ ./\nRUN go mod download\n", 3,
         f"{GO}COPY backend/go.mod backend/go.sum ./\nRUN go mod download\nCOPY backend/ ./\n", ("backend/go.mod",)),
    Case("copy-before-download", f'{GO}COPY [".", "."]\nRUN ["go", "mod", "download"]\n', 3,
         f'{GO}COPY ["go.mod", "go.sum", "./"]\nRUN ["go", "mod", "download"]\nCOPY [".", "."]\n'),
    Case("copy-before-download", f"{GO}ONBUILD COPY . .\nONBUILD RUN go mod download\n", 3,
         f"{GO}ONBUILD COPY go.mod go.sum ./\nONBUILD RUN go mod download\nONBUILD COPY . .\n"),
    Case("copy-before-download", f"{GO}COPY . .\nRUN <<EOF\n  set -e\n  timeout 5m go mod download\nEOF\n", 3,
         f"{GO}{DEPS}COPY . .\nRUN cat <<EOF > again.sh\ngo mod download\nEOF\n"),
    Case("no-download-layer", GO + BUILD, 4, GO + DEPS + BUILD),
    Case("no-download-layer", f"{GO}COPY svc svc\nRUN cd svc && xx-go build .\n", 4,
         f"{GO}COPY svc svc\nRUN --mount=type=cache,target=/cache/gomod cd svc && xx-go build .\n", ("svc/go.mod",)),
    Case("no-download-layer", f"{GO}COPY . .\nRUN sh -c 'go build .'\n", 4,
         f"{GO}COPY go.mod go.sum ./\nRUN sh -c 'go mod download'\nCOPY . .\nRUN sh -c 'go build .'\n"),
    Case("no-download-layer", f"{GO}COPY . .\nRUN cd cmd && CGO_ENABLED=0 go build .\n", 4,
         f"{GO}COPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build .\n"),
    Case("no-download-layer", GO + BUILD, 4, GO + BUILD.replace("go build", "go build -mod=vendor")),
    Case("lone-file-proxy", f"{GO}ENV GOPROXY=file:///gomod\n", 3, f"{GO}ENV GOPROXY=file:///gomod,off\n"),
    Case("lone-file-proxy", f"{GO}ARG GOPROXY=file:///gomod\n", 3,
         f"{GO}ARG GOPROXY=file:///gomod,https://proxy.golang.org\n"),
    Case("lone-file-proxy", f'{GO}RUN GOPROXY="file:///gomod" go mod download\n', 3,
         f"{GO}RUN export GOPROXY=file:///gomod,off && go mod download\n"),
    Case("lone-file-proxy", f"{GO}RUN go env -w GOPROXY=file:///gomod\n", 3,
         f"{GO}RUN go env -w GOPROXY='file:///gomod,off'\n"),
    Case("copy-before-download", f"{GO}COPY go.mod go.sum ./\nCOPY svc/ svc/\nRUN go mod download\n", 4,
         f"{GO}COPY go.mod go.sum ./\nCOPY conf/ conf/\nRUN go mod download\n", ("svc/a/b.go", "conf/x.yml")),
    Case("copy-before-download", f"{GO}COPY api api\n{DEPS}", 3, f"{GO}COPY api/go.mod api/\n{DEPS}", ("api/go.mod",)),
    Case("copy-before-download", f"{GO}RUN --mount=type=bind,target=. go mod download\n", 3, GO + DEPS),
    Case("copy-before-download", f"{GO}COPY . .\nRUN until x=$(go mod download); do sleep 1; done\n", 3,
         f"{GO}COPY . .\nRUN echo 'go mod download'\n"),
    Case("copy-before-download", f"{GO}COPY . .\nRUN retry --times 3 -- go mod download\n", 3,
         f"{GO}COPY . .\nRUN apt-get install -y go git\n"),
    Case("copy-before-download", f"{GO}COPY . .\nRUN go get -d -v ./...\n", 3,
         f"{GO}COPY . .\nRUN go get a.b/c@v1.0.0\n"),
    Case("no-download-layer", f"{GO}COPY . .\nRUN make\n", 4, "FROM node:22\nCOPY . .\nRUN make\n"),
    Case("no-download-layer", f"{GO}COPY . .\nRUN ./gen.sh\nRUN go build .\n", 5,
         f"{GO}COPY go.mod go.sum deps.sh ./\nRUN ./deps.sh\n{BUILD}"),
    Case("no-download-layer", "FROM alpine:3\nRUN apk add go\nCOPY . .\nRUN mage build\n", 4,
         "FROM company/base\nCOPY . .\nRUN go build .\n"),
    Case("no-download-layer", GO + BUILD, 4, f"{GO}COPY vendor vendor\n{BUILD}"),
    Case("no-download-layer", GO + BUILD, 4, f"{GO}COPY --from=modules /go/pkg/mod /go/pkg/mod\n{BUILD}"),
    Case("modules-lost", f"{GO}{DEPS}COPY . .\nRUN go clean -cache -modcache; go build .\n", 6,
         f"{GO}{DEPS}COPY . .\nRUN go build . && go clean -modcache\n"),
    Case("modules-lost", f"{GO}{DEPS}RUN rm -rf /go/pkg/mod\n{BUILD}", 5, f"{GO}{DEPS}RUN rm -rf /tmp/mod\n{BUILD}"),
    Case("modules-lost",
         f"{GO}COPY go.mod go.sum ./\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\n{BUILD}", 6,
         f"{GO}COPY go.mod go.sum ./\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\nCOPY . .\n"
         "RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache go build -o /app .\n"),
    Case("modules-lost",
         f"{GO}COPY go.mod go.sum ./\nRUN --mount=type=cache,id=mod,target=/go/pkg/mod go mod download\nCOPY . .\n"
         "RUN --mount=type=cache,target=/go/pkg/mod go build -o /app .\n", 6,
         f"{GO}COPY go.mod go.sum ./\nRUN --mount=type=cache,target=/go/pkg/mod/ go mod download\nCOPY . .\n"
         "RUN --mount=type=cache,id=/go/pkg/mod,target=/go/pkg/mod go build -o /app .\n"),
    Case("modules-lost", f"{GO}{DEPS}COPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build .\n", 6,
         f"{GO}{DEPS}COPY . .\nRUN --mount=type=cache,from=build,source=/go/pkg/mod,target=/go/pkg/mod go build .\n"),
    Case("modules-lost", f"{GO}{DEPS}FROM golang:1.24\n{BUILD}", 7,
         f"{GO}{DEPS}FROM golang:1.24\nCOPY --from=build /go/pkg /go/pkg\n{BUILD}"),
    Case("modules-lost", f"{GO}{DEPS}FROM golang:1.24\n{BUILD}", 7,
         f"{GO}{DEPS}FROM golang:1.24\nCOPY . .\n"
         "RUN --mount=type=bind,from=build,source=/go/pkg/mod,target=/go/pkg/mod go build .\n"),
    Case("cache-mount", f"{GO}COPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build .\n", 4,
         f"{GO}COPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build -mod=vendor .\n"),
    Case("cache-mount", f"{GO}COPY . .\nRUN --mount=type=cache,target=$GOMODCACHE go test ./...\n", 4,
         f"{GO}{DEPS}COPY . .\nRUN --mount=type=cache,target=/root/.cache/go-build go test ./...\n"),
    Case("value-before-download", f"{GO}ARG ref\n{DEPS}", 3, f"{GO}{DEPS}ARG ref\n"),
    Case("value-before-download", f"{GO}ARG VERSION=dev\n{DEPS}RUN go build -ldflags \"-X 'a.b=$VERSION'\" .\n", 3,
         f"{GO}ARG TARGET=./cmd/app\n{DEPS}RUN go build -ldflags '-s -w' $TARGET\n"),
    Case("value-before-download", f"{GO}ARG VERSION\nENV V=${{VERSION}}\n{DEPS}", 4,
         f"{GO}ARG proxy\nENV GOPROXY=$proxy\n{DEPS}"),
    Case("value-before-download", f"{GO}ARG TAG\nRUN apk add git\n{DEPS}", 3,
         f"{GO}ARG TAG\nRUN apk add git=$TAG\n{DEPS}"),
    Case("value-before-download", f"{GO}ARG GOVERSION_NAME GIT_COMMIT\n{DEPS}", 3,
         f"{GO}ARG GOPRIVATE HTTPS_PROXY\n{DEPS}"),
    Case("value-before-download", f"{GO}ARG X\n{DEPS}", 3, f"{GO}ARG X\nRUN ./install.sh\n{DEPS}"),
    Case("value-before-download", f"{GO}ARG X\n{DEPS}", 3, f"ARG X=1\n{GO}ARG X\n{DEPS}"),
    Case("value-before-download", f"FROM --platform=$BUILDPLATFORM {GO[5:]}ARG TARGETARCH\n{DEPS}", 3,
         f"{GO}ARG TARGETARCH BUILDPLATFORM\n{DEPS}"),
    Case("old-image", "FROM golang:1.21-alpine\nCOPY sub/go.mod sub/go.sum ./\nRUN go mod download\n", 1,
         "FROM golang:1.24-alpine\nCOPY sub/go.mod sub/go.sum ./\nRUN go mod download\n", ("sub/go.mod",)),
    Case("old-image", f"ARG V=1.24.1\nFROM golang:$V@sha256:{'0' * 64}\n{DEPS}", 2,
         f"ARG V=1.24\nFROM golang:$V\n{DEPS}"),
    Case("old-image", f"FROM golang:1.22\n{DEPS}", 1, f"FROM golang:1\n{DEPS}"),
    Case("dockerignore-hides", GO + DEPS, 3, f"{GO}COPY gomod/ ./\n", ("gomod/x",), "*\n!go.mod\n"),
    Case("dockerignore-hides", GO + BUILD, 3, "FROM nginx\nCOPY . .\n", (), "go.*\n"),
    Case("stamp-lost", GO + DEPS + BUILD, 6, f"{GO}{DEPS}COPY . .\nRUN go build -ldflags='-X a.v=1' .\n", (), ".git\n"),
    Case("stamp-lost", GO + DEPS + BUILD, 6, f"{GO}{DEPS}COPY . .\nRUN go build -buildvcs=false .\n", (), ".git\n"),
    Case("stamp-lost", GO + DEPS + BUILD, 6, f"FROM golang:1.24-alpine\n{DEPS}{BUILD}", (), ".git\n"),
    Case("no-download-layer", f"{GO}COPY . .\nRUN bash -c 'make build'\n", 4,
         f"{GO}COPY . .\nRUN git commit -m 'make it so'\n"),
    Case("no-download-layer", f"ARG V\nFROM golang:${{V}}\n{BUILD}", 4, f"ARG I\nFROM $I\n{BUILD}"),
    Case("no-download-layer", f"FROM cgr.dev/chainguard/go\n{BUILD}", 3, f"FROM company/base\nRUN apk add go\n{BUILD}"),
    Case("no-download-layer", "FROM goreleaser/goreleaser\nCOPY . .\nRUN goreleaser build\n", 3,
         "FROM goreleaser/goreleaser\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN goreleaser build\n"),
    Case("no-download-layer", f"FROM node:22\nCOPY --from=golang /usr/local/go /usr/local/go\n{BUILD}", 4,
         "FROM node:22\nWORKDIR /go/src/app\nCOPY . .\nRUN make ui\n"),
    Case("no-download-layer", f"{GO}COPY . /mod\nRUN go build .\n", 4,
         f"{GO}COPY --from=deps /mod /mod\nCOPY . .\nRUN go build .\n"),
    Case("no-download-layer", f"{GO}COPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build .\nRUN go test .\n", 5,
         f"{GO}COPY . .\nRUN --mount=type=cache,target=/go/pkg/mod make\nRUN make install\n"),
    Case("no-download-layer", f"{GO}RUN git clone a.b/c && cd c && go build .\n{BUILD}", 5,
         f"{GO}RUN git clone a.b/c && cd c && go build .\n{DEPS}{BUILD}"),
    Case("no-download-layer", f"{GO}COPY tool/go.mod tool/\nRUN cd tool && go mod download\nFROM golang\n{BUILD}", 7,
         f"{GO}{DEPS}FROM golang\n{BUILD}", ("tool/go.mod",)),
    Case("modules-lost", f"{GO}{DEPS}{BUILD}RUN --mount=type=cache,target=/go go test ./...\n", 7,
         f"{GO}{DEPS}{BUILD}RUN go test ./...\n"),
    Case("cache-mount", f"{GO}ENV GOMODCACHE=/c/m\nCOPY . .\nRUN --mount=type=cache,target=/c go build .\n", 5,
         f"{GO}ENV GOCACHE=/c/m\n{DEPS}COPY . .\nRUN --mount=type=cache,target=/c go build .\n"),
    Case("cache-mount", f"{GO}COPY . .\nRUN --mount=type=cache,target=/m GOMODCACHE=/m go build .\n", 4,
         f"{GO}ENV GOPATH=/w\n{DEPS}COPY . .\nRUN --mount=type=cache,target=/wide go build .\n"),
    Case("copy-before-download", f"{GO}COPY . .\nRUN go mod download\n", 3,
         f"{GO}COPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\n"),
    Case("value-before-download", f"{GO}ARG V\n{DEPS}", 3,
         f"{GO}ARG V\nCOPY go.mod go.sum ./\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\n"),
    Case("value-before-download", f"{GO}ARG V\nLABEL v=$V\n{DEPS}", 3, f"{GO}ARG V\nUSER $V\n{DEPS}"),
    Case("value-before-download", f"{GO}ARG VERSION=dev\n{DEPS}", 3,
         f"{GO}ARG TAG=main\nRUN git clone -b $TAG a.b/c\n{DEPS}"),
    Case("value-before-download", f"{GO}ARG COMMIT=unknown\n{DEPS}", 3, f"{GO}ARG TAGS=netgo\n{DEPS}"),
    Case("value-before-download", f"ARG V\n{GO}ARG V\n{DEPS}", 4, f"ARG V\nFROM golang:$V\nARG V TZ LC_ALL\n{DEPS}"),
    Case("old-image", f"FROM golang:1.22\n{DEPS}", 1, f"FROM golang:1.22\nENV GOTOOLCHAIN=auto\n{DEPS}"),
    Case("old-image", f"FROM golang:1.22\nENV GOTOOLCHAIN=local\n{DEPS}", 1,
         f"FROM golang:1.22\n{DEPS.replace('go mod', 'GOTOOLCHAIN=go1.24.2 go mod')}"),
    Case("cache-mount", f"{GO}COPY . .\nRUN --mount=type=cache,target=/go/pkg/mod make build\n", 4,
         f"{GO}{DEPS}COPY . .\nRUN --mount=type=cache,target=/root/go/pkg/mod make build\n"),
    Case("modules-lost", f"{GO}{DEPS}COPY . .\nRUN --mount=type=cache,target=$GOMODCACHE go build .\n", 6,
         f"{GO}{DEPS}COPY . .\nRUN --mount=type=cache,target=/root/go/pkg/mod go build .\n"),
    Case("modules-lost",
         "FROM alpine\nRUN apk add go\nCOPY go.mod .\nRUN go mod download\n"
         "RUN --mount=type=cache,target=/root/go go build .\n", 5,
         f"{GO}COPY go.mod .\nRUN --mount=type=cache,target=/root/go go mod download\nRUN go build .\n"),
    Case("no-download-layer", f"{GO}COPY cmd cmd\nRUN make docs\nCOPY go.mod go.sum ./\nRUN make\n", 6,
         f"{GO}COPY cmd cmd\nRUN make docs\n", ("cmd/x.go",)),
    Case("modules-lost", f"{GO}{DEPS}RUN rm -rf ${{GOPATH}}/pkg/*\n{BUILD}", 5,
         f"{GO}{DEPS}RUN rm -rf $GOPATH/src/x /src/pkg\n{BUILD}"),
    Case("no-download-layer", f"{GO}COPY . .\nRUN nice go build .\n", 4,
         f"{GO}COPY . .\nRUN mkdir go build && git commit -m 'go build .'\n"),
    Case("copy-before-download", f"{GO}COPY .git .git\n{DEPS}", 3, f"{GO}COPY .gitconfig /root/\n{DEPS}"),
    Case("value-before-download", f"FROM --platform=$BUILDPLATFORM {GO[5:]}ARG TARGETARCH\n{DEPS}", 3,
         f"FROM --platform=$BUILDPLATFORM {GO[5:]}ARG TARGETOS TARGETARCH\nRUN echo $TARGETOS\n{DEPS}"),
    Case("dockerignore-hides", f"{GO}COPY go.work ./\nRUN go build\n", 3, GO + BUILD, ("go.work",), "go.work\n"),
    Case("stamp-lost", GO + DEPS + BUILD, 6,
         f"{GO}{DEPS}COPY . .\nRUN go build -ldflags \"-w -s $L\" .\n", (), ".git\n"),
    Case("stamp-lost", GO + DEPS + BUILD, 6, f"ARG V\nFROM golang:$V\n{DEPS}{BUILD}", (), ".git\n"),
)  # fmt: skip


def judged(folder: Path, text: str, files: tuple[str, ...] = (), ignored: str = "") -> tuple[Finding, ...]:
    """The findings for a Dockerfile in a context with these files."""
    for name in ("go.mod", "go.sum", *files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(GOMOD if name.endswith("go.mod") else "x")
    if ignored:
        (folder / ".dockerignore").write_text(ignored)
    return check(text, read_context(folder))


@pytest.mark.parametrize("case", CASES, ids=[f"{case.slug}-{index}" for index, case in enumerate(CASES)])
def test_bad_is_found_and_good_is_not(tmp_path: Path, case: Case) -> None:
    """The bad one has this finding at this line, and the good one has it nowhere."""
    found = judged(tmp_path, case.bad, case.files, case.ignored)
    assert (case.line, case.slug) in [(finding.line, finding.slug) for finding in found]
    right = {finding.slug for finding in judged(tmp_path, case.good, case.files, case.ignored)}
    assert case.slug not in right


def test_every_rule_has_a_case() -> None:
    """No finding without a bad and a good Dockerfile."""
    assert {case.slug for case in CASES} == set(FINDINGS)


def test_project_before_modules_has_nothing_to_download(tmp_path: Path) -> None:
    """Not a fault of its Dockerfile: without any go.mod in the context there are no modules."""
    (tmp_path / "main.go").write_text("package main\n")
    assert check(f"FROM golang:1.10\n{BUILD}", read_context(tmp_path)) == ()
    (tmp_path / "svc").mkdir()
    (tmp_path / "svc" / "go.mod").write_text(GOMOD)
    assert [each.slug for each in check(f"FROM golang:1.24\n{BUILD}", read_context(tmp_path))] == ["no-download-layer"]


@pytest.mark.parametrize(("go", "tag", "is_old"), [("1.24rc1", "1.24.0", False), ("1.25rc1", "1.24.3", True)])
def test_old_image_knows_release_candidates(tmp_path: Path, go: str, tag: str, is_old: bool) -> None:
    (tmp_path / "go.mod").write_text(f"module x\n\ngo {go}\n")
    assert bool(check(f"FROM golang:{tag}\nCOPY go.mod ./\nRUN go mod download\n", read_context(tmp_path))) is is_old


def test_comment_waives_one_finding_of_the_next_instruction(tmp_path: Path) -> None:
    """`# go-prefetch ignore=NAME` counts for the instruction directly below, and for that name only."""
    text = (
        f"{GO}# go-prefetch ignore=value-before-download\nARG A\nARG B\n# go-prefetch ignore=old-image\nARG C\n{DEPS}"
    )
    assert [(found.line, found.slug) for found in judged(tmp_path, text)] == [
        (5, "value-before-download"),
        (7, "value-before-download"),
    ]


def test_findings_have_a_stable_order(tmp_path: Path) -> None:
    """By line, then by name, then by what was found."""
    found = judged(tmp_path, f"FROM golang:1.20\nARG b a\nCOPY . .\nENV GOPROXY=file:///x\n{DEPS}")
    assert [(each.line, each.slug) for each in found] == [
        (1, "old-image"), (2, "value-before-download"), (2, "value-before-download"),
        (3, "copy-before-download"), (4, "lone-file-proxy"),
    ]  # fmt: skip
    assert list(found) == sorted(found)


def test_dockerignore_of_a_dockerfile_has_precedence(tmp_path: Path) -> None:
    """`NAME.dockerignore` next to a Dockerfile counts instead of the context's."""
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_text(GOMOD)
    (tmp_path / ".dockerignore").write_text("# nothing\n")
    (tmp_path / "api.Dockerfile.dockerignore").write_text("go.sum\n")
    text = GO + DEPS
    assert check(text, read_context(tmp_path, tmp_path / "Dockerfile")) == ()
    found = check(text, read_context(tmp_path, tmp_path / "api.Dockerfile"))
    assert [each.slug for each in found] == ["dockerignore-hides"]
