"""Every finding of `docker --check`: a Dockerfile that has it, at a known line, and one that is right."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from go_prefetch.docker.context import read_context
from go_prefetch.docker.rule import Finding
from go_prefetch.docker.rules import RULES, check

GO = "FROM golang:1.24-bookworm AS build\nWORKDIR /src\n"
DEPS = "COPY go.mod go.sum ./\nRUN go mod download\n"
BUILD = "COPY . .\nRUN go build -o /app .\n"
TOKEN = "ghp_" + "hunter2" * 6


class Case(NamedTuple):
    """`bad` has the finding at `line`; `good` says the same rightly and has none at all."""

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
    Case("go-sum-not-copied", f"{GO}COPY go.mod ./\nRUN go mod download\n{BUILD}", 3, GO + DEPS + BUILD),
    Case("go-sum-not-copied", f"{GO}COPY src/go.mod .\nRUN go mod download\n", 3,
         f"{GO}COPY src/go.* .\nRUN go mod download\n"),
    Case("go-sum-not-copied",
         f"{GO}RUN --mount=type=bind,source=go.mod,target=go.mod go mod download\n", 3,
         f"{GO}RUN --mount=type=bind,source=go.mod,target=go.mod --mount=type=bind,source=go.sum,target=go.sum "
         "go mod download\n"),
    Case("arg-before-download", f"{GO}ARG VERSION=dev\n{DEPS}{BUILD}", 3, f"{GO}{DEPS}ARG VERSION=dev\n{BUILD}"),
    Case("arg-before-download", f"{GO}ARG GIT_COMMIT BUILD_DATE\n{DEPS}", 3, f"{GO}{DEPS}ARG GIT_COMMIT BUILD_DATE\n"),
    Case("arg-before-download", f"FROM --platform=$BUILDPLATFORM {GO[5:]}ARG TARGETARCH\n{DEPS}", 3,
         f"FROM --platform=$BUILDPLATFORM {GO[5:]}{DEPS}ARG TARGETARCH\n"),
    Case("cache-mount-lost",
         f"{GO}COPY go.mod go.sum ./\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\n{BUILD}", 6,
         f"{GO}COPY go.mod go.sum ./\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\nCOPY . .\n"
         "RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache go build -o /app .\n"),
    Case("cache-mount-lost",
         f"{GO}COPY go.mod go.sum ./\nRUN --mount=type=cache,id=mod,target=/go/pkg/mod go mod download\nCOPY . .\n"
         "RUN --mount=type=cache,target=/go/pkg/mod go build -o /app .\n", 6,
         f"{GO}COPY go.mod go.sum ./\nRUN --mount=type=cache,target=/go/pkg/mod/ go mod download\nCOPY . .\n"
         "RUN --mount=type=cache,id=/go/pkg/mod,target=/go/pkg/mod go build -o /app .\n"),
    Case("go-mod-changed", f"{GO}{DEPS}COPY . .\nRUN go mod tidy && go build .\n", 6,
         f"{GO}{DEPS}COPY . .\nRUN go mod tidy && cp go.mod go.sum /out/\n"),
    Case("go-mod-changed", f"{GO}{DEPS}COPY . .\nRUN go mod tidy && go build .\n", 6,
         f"{GO}{DEPS}COPY . .\nRUN go mod tidy -diff && go build .\n"),
    Case("go-mod-changed", f"{GO}{DEPS}COPY . .\nRUN go mod tidy && go build .\n", 6, GO + DEPS + BUILD),
    Case("go-mod-changed", f"{GO}COPY go.mod go.sum ./\nRUN go get -v ./...\n", 4,
         f"{GO}RUN go mod init tools && go get example.com/tool@v1.2.3\n"),
    Case("latest-tag", f"FROM golang\n{DEPS}", 1, f"FROM golang:1.24\n{DEPS}"),
    Case("latest-tag", f"{GO}FROM gcr.io:443/distroless/static:latest\n", 3,
         f"{GO}FROM gcr.io:443/distroless/static:nonroot\n"),
    Case("latest-tag", "ARG BASE=alpine\nFROM ${BASE}\n", 2, "ARG BASE=alpine:3.22\nFROM ${BASE}\n"),
    Case("latest-tag", f"{GO}COPY --from=busybox:latest /bin/sh /bin/\n", 3,
         f"{GO}COPY --from=busybox@sha256:{'0' * 64} /bin/sh /bin/\n"),
    Case("go-install-latest", f"{GO}RUN go install example.com/cmd/tool@latest\n", 3,
         f"{GO}RUN go install example.com/cmd/tool@v1.4.0\n"),
    Case("lone-file-proxy", f"{GO}ENV GOPROXY=file:///gomod\n", 3, f"{GO}ENV GOPROXY=file:///gomod,off\n"),
    Case("lone-file-proxy", f"{GO}ARG GOPROXY=file:///gomod\n", 3,
         f"{GO}ARG GOPROXY=file:///gomod,https://proxy.golang.org\n"),
    Case("lone-file-proxy", f'{GO}RUN GOPROXY="file:///gomod" go mod download\n', 3,
         f"{GO}RUN export GOPROXY=file:///gomod,off && go mod download\n"),
    Case("lone-file-proxy", f"{GO}RUN go env -w GOPROXY=file:///gomod\n", 3,
         f"{GO}RUN go env -w GOPROXY='file:///gomod,off'\n"),
    Case("dockerignore-lacks", GO + DEPS + BUILD, 5, GO + DEPS + "COPY cmd/ cmd/\n", (".git/HEAD", "cmd/main.go")),
    Case("dockerignore-lacks", GO + DEPS + BUILD, 5, GO + DEPS + "COPY . .\nRUN git describe > /version\n",
         (".git/HEAD",)),
    Case("dockerignore-lacks", GO + DEPS + "COPY --exclude=*.md . .\n", 5,
         GO + DEPS + "COPY --exclude=*.md --exclude=.git . .\n", (".git/HEAD",)),
    Case("dockerignore-hides", f"{GO}COPY ./gomod /gomod\n", 3, f"{GO}COPY ./kept /kept\n",
         ("gomod/x", "kept/x"), "*\n!kept\n"),
    Case("secret-in-arg", f"{GO}ARG GITHUB_TOKEN\n{DEPS}", 3,
         f"{GO}COPY go.mod go.sum ./\nRUN --mount=type=secret,id=GITHUB_TOKEN,env=GITHUB_TOKEN go mod download\n"),
    Case("secret-in-arg", f"{GO}ARG GOPROXY=https://me:pw@proxy.example,direct\n", 3,
         f"{GO}ARG GOPROXY=https://proxy.example,direct\n"),
    Case("secret-in-arg", f"{GO}ONBUILD ARG NPM_TOKEN\n", 3, f"{GO}ONBUILD ARG NPM_VERSION\n"),
    Case("secret-in-arg", f"{GO}ARG AUTH={TOKEN}\n", 3, f"{GO}ARG AUTH=basic\n"),
    Case("secret-in-env", f"{GO}ENV GO_AUTH={TOKEN}\n", 3, f"{GO}ENV GO_AUTH=netrc\n"),
    Case("secret-in-env", f"{GO}ENV NPM_TOKEN=abc CGO_ENABLED=0\n", 3,
         f"{GO}ENV CGO_ENABLED=0 TOKEN_FILE=/run/secrets/x\n"),
    Case("secret-in-env", f"{GO}ENV DB_PASSWORD hunter2\n", 3, f"{GO}ENV DB_PASSWORD_FILE /run/secrets/db\n"),
    Case("secret-copied", f"{GO}COPY .netrc /root/.netrc\n", 3,
         f"{GO}RUN --mount=type=secret,id=netrc,target=/root/.netrc go mod download\n"),
    Case("secret-copied", f"{GO}COPY deploy/id_ed25519 /root/.ssh/\n", 3,
         f"{GO}RUN --mount=type=ssh go mod download\n"),
    Case("secret-in-layer",
         f'{GO}RUN --mount=type=secret,id=t echo "machine github.com password $(cat /run/secrets/t)" > ~/.netrc\n', 3,
         f'{GO}RUN --mount=type=secret,id=t echo "machine github.com password $(cat /run/secrets/t)" > ~/.netrc '
         "&& go mod download && rm ~/.netrc\n"),
    Case("secret-copied", f"{GO}COPY <<EOF /root/.netrc\nmachine github.com password hunter2\nEOF\n", 3,
         f"{GO}COPY <<EOF /etc/motd\nhello\nEOF\n"),
    Case("secret-in-layer", f"{GO}RUN git clone https://me:hunter2@github.com/org/private\n", 3,
         f"{GO}RUN --mount=type=secret,id=t,env=T git clone https://me:$T@github.com/org/private\n"),
    Case("secret-in-layer", f"{GO}RUN GOPROXY=https://me:hunter2@proxy.example go mod download && rm ~/.netrc\n", 3,
         f"{GO}RUN --mount=type=secret,id=goproxy,env=GOPROXY go mod download\n"),
    Case("secret-in-layer", f"{GO}RUN <<EOF\ncurl -H 'Authorization: Bearer {TOKEN}' https://api.example\nEOF\n", 3,
         f"{GO}RUN <<EOF\ncurl -H \"Authorization: Bearer $(cat /run/secrets/t)\" https://api.example\nEOF\n"),
    Case("secret-in-layer", f"{GO}ADD https://me:hunter2@files.example/x.tgz /x\n", 3,
         f"{GO}ADD https://files.example/x.tgz /x\n"),
    Case("secret-in-layer", f"{GO}RUN echo $LOGIN | tee -a ~/.netrc\n", 3, f"{GO}RUN echo $LOGIN | tee -a ~/log\n"),
    Case("secret-in-layer", f'{GO}RUN git config --global url."https://x:$T@h/".insteadOf https://h/\n', 3,
         f'{GO}RUN GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.https://x:$T@h/.insteadOf" GIT_CONFIG_VALUE_0=https://h/ '
         "go mod download\n"),
    Case("secret-in-layer",
         f'{GO}RUN git config --global url."https://x:${{T}}@github.com/".insteadOf "https://github.com/"\n', 3,
         f'{GO}RUN git config --global url."git@github.com:".insteadOf "https://github.com/"\n'),
)  # fmt: skip


def judged(folder: Path, text: str, files: tuple[str, ...] = (), ignored: str = "") -> tuple[Finding, ...]:
    """The findings for a Dockerfile in a context with these files."""
    for name in ("go.mod", "go.sum", *files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    if ignored:
        (folder / ".dockerignore").write_text(ignored)
    return check(text, read_context(folder))


@pytest.mark.parametrize("case", CASES, ids=[f"{case.slug}-{index}" for index, case in enumerate(CASES)])
def test_bad_is_found_and_good_is_not(tmp_path: Path, case: Case) -> None:
    """The bad one has this finding at this line, and the good one has it nowhere."""
    found = judged(tmp_path, case.bad, case.files, case.ignored)
    assert (case.line, case.slug) in [(finding.line, finding.slug) for finding in found]
    assert "hunter2" not in str(found), "a finding names a secret, and never says it"
    right = {finding.slug for finding in judged(tmp_path, case.good, case.files, case.ignored)}
    assert case.slug not in right


def test_every_rule_has_a_case() -> None:
    """No rule without a bad and a good Dockerfile, and every name once."""
    assert {case.slug for case in CASES} == {row.slug for row in RULES}
    assert len({row.slug for row in RULES}) == len(RULES)


def test_comment_waives_one_finding_of_the_next_instruction(tmp_path: Path) -> None:
    """`# go-prefetch ignore=NAME` counts for what stands directly below, and for that name only."""
    text = (
        "# go-prefetch ignore=latest-tag\nFROM golang\nARG NPM_TOKEN\n# go-prefetch ignore=latest-tag\nARG API_TOKEN\n"
    )
    assert [(found.line, found.slug) for found in judged(tmp_path, text)] == [
        (3, "secret-in-arg"),
        (5, "secret-in-arg"),
    ]


def test_dockerignore_of_its_own_goes_first(tmp_path: Path) -> None:
    """`NAME.dockerignore` beside a Dockerfile counts instead of the context's."""
    for name in (".git", "go.mod", "go.sum"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".dockerignore").write_text("# nothing\n")
    (tmp_path / "api.Dockerfile.dockerignore").write_text(".git\n")
    whole = GO + DEPS + BUILD
    assert [found.slug for found in check(whole, read_context(tmp_path, tmp_path / "Dockerfile"))] == [
        "dockerignore-lacks"
    ]
    assert check(whole, read_context(tmp_path, tmp_path / "api.Dockerfile")) == ()
