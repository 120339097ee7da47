"""How Dockerfiles of Go projects are really written: nothing is found in any of these, for nothing is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.docker.context import read_context
from go_prefetch.docker.rules import check

PATTERNS = {
    "everything by bind mounts, one named cache for modules, the version from a stage of its own": """\
# syntax=docker/dockerfile:1
# check=skip=JSONArgsRecommended;error=true
ARG GO_VERSION=1.24
ARG ALPINE_VERSION=3.22
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-alpine${ALPINE_VERSION} AS base
RUN apk add --no-cache file git
ENV CGO_ENABLED=0 GOFLAGS=-buildvcs=false
WORKDIR /src
FROM base AS modules
RUN --mount=type=bind,source=go.mod,target=go.mod,rw --mount=type=bind,source=go.sum,target=go.sum,rw \\
    --mount=type=cache,id=modules,target=/go/pkg/mod,sharing=locked go mod download -x
FROM modules AS version
ARG GIT_REF
RUN --mount=target=. echo "${GIT_REF}" > /tmp/revision
FROM modules AS build
ARG TARGETPLATFORM
RUN --mount=type=bind,target=. --mount=type=bind,from=version,source=/tmp/revision,target=/tmp/revision \\
    --mount=type=cache,target=/root/.cache --mount=type=cache,id=modules,target=/go/pkg/mod \\
    go build -ldflags "-X main.revision=$(cat /tmp/revision)" -o /usr/bin/tool ./cmd/tool
FROM scratch AS binary
COPY --link --from=build /usr/bin/tool /
""",
    "every go.mod of a workspace by COPY --parents": """\
# syntax=docker/dockerfile:1-labs
FROM golang:1.24 AS build
WORKDIR /src
COPY --parents go.work go.work.sum **/go.mod **/go.sum ./
RUN go mod download
COPY --link --exclude=*.md . .
RUN go build -o /out/ ./cmd/...
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build --chown=65532:65532 --chmod=755 /out/ /usr/local/bin/
""",
    "an image to build on": """\
FROM golang:1.24
WORKDIR /go/src/app
ONBUILD COPY go.mod go.sum ./
ONBUILD RUN go mod download
ONBUILD COPY . .
ONBUILD RUN go build -v -o /go/bin/app
CMD ["app"]
""",
    "downloads and builds through make": """\
FROM golang:1.24 AS build
WORKDIR /src
COPY Makefile go.mod go.sum ./
RUN make deps
COPY . .
RUN make build
FROM alpine:3.22
COPY --from=build /src/bin/app /bin/app
""",
    "a download that is tried again, with a limit": """\
FROM golang:1.24 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN for i in 1 2 3; do timeout 300 go mod download && break || sleep 5; done
COPY . .
RUN if [ "$RACE" = 1 ]; then go build -race -o /app .; else go build -o /app .; fi
""",
    "a controller's: mirror from an argument into the environment, the same image per architecture": """\
ARG builder_image=docker.io/library/golang:1.24
ARG goproxy=https://proxy.golang.org
FROM ${builder_image} AS builder
WORKDIR /workspace
ARG goproxy
ENV GOPROXY=$goproxy
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY ./ ./
ARG package=. ARCH ldflags
RUN --mount=type=cache,target=/root/.cache/go-build --mount=type=cache,target=/go/pkg/mod \\
    CGO_ENABLED=0 GOARCH=${ARCH} go build -trimpath -ldflags "${ldflags} -extldflags '-static'" -o manager ${package}
FROM gcr.io/distroless/static:nonroot-${ARCH}
COPY --from=builder /workspace/manager .
""",
    "caches where GOMODCACHE is told to be": """\
FROM golang:1.24 AS build
ENV GOMODCACHE=/cache/mod GOCACHE=/cache/build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/cache/mod --mount=type=cache,target=/cache/build go build -o /app .
""",
    "cgo on Alpine, linked statically": """\
FROM golang:1.24-alpine3.22 AS build
RUN apk add --no-cache gcc musl-dev sqlite-dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=1 go build -tags "libsqlite3 linux" -ldflags '-linkmode external -extldflags "-static"' -o /app
FROM alpine:3.22
COPY --from=build /app /app
""",
    "Windows, PowerShell": """\
# escape=`
ARG WINDOWS_VERSION=ltsc2022
FROM golang:1.24-nanoserver-${WINDOWS_VERSION} AS build
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop';"]
WORKDIR C:/src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -o C:/app.exe ./cmd/app; `
    if ($LASTEXITCODE -ne 0) { throw 'failed' }
FROM mcr.microsoft.com/windows/nanoserver:${WINDOWS_VERSION}
COPY --from=build C:/app.exe C:/app.exe
""",
    "no shell: JSON everywhere": """\
FROM golang:1.24 AS build
WORKDIR /src
COPY ["go.mod", "go.sum", "./"]
RUN ["go", "mod", "download"]
COPY [".", "."]
RUN ["go", "build", "-o", "/app", "."]
RUN ["/bin/sh", "-ec", "go vet ./... && go test ./..."]
""",
    "a program per platform from the release tool's folders": """\
FROM scratch
ARG TARGETPLATFORM
COPY $TARGETPLATFORM/myprogram /usr/bin/
ENTRYPOINT ["/usr/bin/myprogram"]
""",
    "two programs, each with stages from the same base": """\
FROM golang:1.24 AS api
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
RUN go build -o /api ./api
FROM golang:1.24 AS worker
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY worker worker
RUN go build -o /worker ./worker
FROM alpine:3.22
COPY --from=api /api /api
COPY --from=1 /worker /worker
""",
    "the sources of another project, by git": """\
FROM golang:1.24 AS build
ADD https://github.com/example/tool.git#v1.2.3 /src
WORKDIR /src
RUN --mount=type=cache,target=/go/pkg/mod go build -o /tool .
FROM alpine:3.22
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/x.tgz /x
COPY --from=build /tool /tool
""",
    "vendor/ brought up to date and handed out": """\
FROM golang:1.24 AS vendored
WORKDIR /src
RUN --mount=target=/context --mount=target=.,type=tmpfs <<EOT
  set -e
  rsync -a /context/. .
  go mod tidy
  go mod vendor
  mkdir /out
  cp -r go.mod go.sum vendor /out
EOT
FROM scratch AS update
COPY --from=vendored /out /out
FROM vendored AS validate
RUN --mount=target=.,rw git add -A && go mod tidy && git diff --exit-code
""",
    "a login for git from a secret, in no file": """\
FROM golang:1.24 AS build
WORKDIR /src
ENV GOPRIVATE=github.com/acme
COPY go.mod go.sum ./
RUN --mount=type=secret,id=gh,env=GH GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.https://x:${GH}@github.com/.insteadOf" \\
    GIT_CONFIG_VALUE_0=https://github.com/ go mod download
COPY . .
RUN go build -o /app .
""",
    "operator scaffold: two single files, source folders by name, platform arguments on top": """\
FROM golang:1.24 AS builder
ARG TARGETOS
ARG TARGETARCH
WORKDIR /workspace
# Dependencies first, so that a change of sources does not download them again
COPY go.mod go.mod
COPY go.sum go.sum
RUN go mod download
COPY cmd/main.go cmd/main.go
COPY api/ api/
COPY internal/ internal/
RUN CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH} go build -a -o manager cmd/main.go

FROM gcr.io/distroless/static:nonroot
WORKDIR /
COPY --from=builder /workspace/manager .
USER 65532:65532
ENTRYPOINT ["/manager"]
""",
    "bind mounts instead of COPY, cache mounts in both RUNs": """\
# syntax=docker/dockerfile:1
ARG GO_VERSION=1.24
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
WORKDIR /src
RUN --mount=type=cache,target=/go/pkg/mod/ \\
    --mount=type=bind,source=go.sum,target=go.sum \\
    --mount=type=bind,source=go.mod,target=go.mod \\
    go mod download -x
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod/ \\
    --mount=type=bind,target=. \\
    CGO_ENABLED=0 GOARCH=$TARGETARCH go build -o /bin/server .
FROM alpine:3.22 AS final
RUN --mount=type=cache,target=/var/cache/apk apk --update add ca-certificates tzdata && update-ca-certificates
COPY --from=build /bin/server /bin/
ENTRYPOINT [ "/bin/server" ]
""",
    "a version from git, stamped by the linker after the download": """\
FROM golang:1.24-alpine AS build
RUN apk add --no-cache git make
WORKDIR /app
COPY go.mod go.sum ./
RUN go mod download && go mod verify
COPY . .
ARG VERSION
ARG COMMIT=unknown
RUN go build -ldflags "-s -w -X main.version=${VERSION:-$(git describe --tags)}" -o /app/bin/tool ./cmd/tool
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /app/bin/tool /tool
ENTRYPOINT ["/tool"]
""",
    "vendored, built by make": """\
FROM registry.example:5000/golang:1.24.3 AS builder
COPY . /go/src/example.com/project
WORKDIR /go/src/example.com/project
RUN make build GOFLAGS=-mod=vendor
FROM registry.example:5000/base@sha256:0000000000000000000000000000000000000000000000000000000000000000
COPY --from=builder /go/src/example.com/project/bin/agent /usr/bin/agent
""",
    "a release tool has built it: only the program is copied": """\
FROM alpine:3.22
RUN apk --no-cache add ca-certificates
COPY myprogram /usr/bin/myprogram
ENTRYPOINT ["/usr/bin/myprogram"]
""",
    "private modules by ssh and a rewritten URL": """\
FROM golang:1.24-bookworm AS build
ENV GOPRIVATE=github.com/example/*
RUN git config --global url."git@github.com:".insteadOf "https://github.com/" \\
 && mkdir -p -m 0700 ~/.ssh && ssh-keyscan github.com >> ~/.ssh/known_hosts
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=ssh go mod download
COPY cmd cmd
RUN go build -o /bin/service ./cmd/service
FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=build /bin/service /
CMD ["/service"]
""",
    "private modules by a secret mount": """\
FROM golang:1.24-bookworm AS modules
WORKDIR /m
COPY go.* ./
RUN --mount=type=secret,id=netrc,target=/root/.netrc,mode=0600 go mod download
FROM modules AS build
COPY *.go ./
RUN --network=none go build -o /out/app
FROM scratch
COPY --from=build /out/app /
""",
    "a workspace with local modules copied before the download": """\
FROM golang:1.24 AS build
WORKDIR /work
COPY go.work go.work.sum ./
COPY api/go.mod api/go.sum api/
COPY shared/ shared/
RUN go mod download
COPY api/ api/
RUN go build -o /bin/api ./api/cmd/api
FROM debian:bookworm-slim
COPY --from=build /bin/api /bin/api
""",
    "a frontend beside it, cgo, live reload for development, tests as a stage": """\
FROM node:22-alpine AS ui
WORKDIR /ui
COPY ui/package.json ui/package-lock.json ./
RUN npm ci
COPY ui/ ./
RUN npm run build
FROM golang:1.24-bookworm AS base
WORKDIR /app
COPY go.mod go.sum /app/
RUN go mod download
FROM base AS dev
RUN go install github.com/air-verse/air@v1.61.7
CMD ["air"]
FROM base AS source
COPY . .
COPY --from=ui /ui/dist ./ui/dist
FROM source AS test
RUN go vet ./... && go test -race ./...
FROM source AS build
RUN CGO_ENABLED=1 go build -tags sqlite -o /bin/app ./cmd/app
FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=build /bin/app /app
""",
    "a cross compiler image and here-documents": """\
FROM --platform=$BUILDPLATFORM tonistiigi/xx:1.6.1 AS xx
FROM --platform=$BUILDPLATFORM golang:1.24-alpine AS build
COPY --from=xx / /
RUN <<EOT
  set -e
  apk add clang lld
EOT
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache go mod download
COPY . .
ARG TARGETPLATFORM
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache <<EOT
  xx-go --wrap
  go build -o /out/app .
EOT
COPY <<EOF /etc/app.conf
go get latest
EOF
FROM scratch
COPY --from=build /out/app /app
""",
    "an image that is only a toolbox": """\
ARG GO_VERSION=1.24.4
FROM docker.io/library/golang:${GO_VERSION}-bookworm
ARG GOLANGCI_LINT_VERSION=v2.1.6
RUN apt-get update && apt-get install -y --no-install-recommends jq && rm -rf /var/lib/apt/lists/*
RUN go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@${GOLANGCI_LINT_VERSION}
ENV CGO_ENABLED=0 GOFLAGS="-mod=readonly -trimpath" PATH="/root/go/bin:${PATH}"
""",
    "a mirror as an argument, an escape of its own": """\
# escape=`
FROM golang:1.24-bookworm AS build
WORKDIR C:\\src
COPY go.mod go.sum `
     ./
ARG GOPROXY=https://proxy.golang.org,direct
RUN go mod download
COPY . .
RUN go build `
    # a comment between
    -o app.exe .
""",
}


@pytest.mark.parametrize("name", PATTERNS)
def test_nothing_is_found(tmp_path: Path, name: str) -> None:
    """No finding, in a context as such a project has it."""
    files = ("go.mod", "go.sum", "cmd/main.go", "shared/go.mod", "main.go", ".git/HEAD", ".github/x.yml", ".env")
    for file in (*files, "vendor/modules.txt") if "vendored" in name else files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x")
    (tmp_path / ".dockerignore").write_text(".git\n.env\n**/*.md\n" if "from git" not in name else ".env\n")
    assert check(PATTERNS[name], read_context(tmp_path)) == ()
