"""How Dockerfiles of Go projects are really written: nothing is found in any of these, for nothing is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.dockerfiles.context import read_context
from go_prefetch.dockerfiles.rules import check

PATTERNS = {
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
