"""How Dockerfiles of Go projects are really written, and what is to be found in each."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.docker.context import Context, read_context
from go_prefetch.docker.rules import FINDINGS, check

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
    "a company's image that may hold the modules": """\
ARG BUILDER
FROM ${BUILDER} AS build
WORKDIR /src
COPY . .
RUN make build
""",
    "a release: the program is copied per platform, labels from arguments": """\
FROM alpine:3.22
ARG NAME=tool
ARG VERSION
ARG TARGETOS TARGETARCH
LABEL version=$VERSION
ENV VERSION=$VERSION
RUN addgroup ${NAME} && adduser -S -G ${NAME} ${NAME}
COPY dist/$TARGETOS/$TARGETARCH/$NAME /bin/
""",
    "labels of the last image, `go run` of a build program": """\
ARG COMMIT=""
ARG VERSION=""
FROM golang:1.24-alpine AS build
RUN apk add --no-cache gcc musl-dev git
COPY go.mod /node/
COPY go.sum /node/
RUN cd /node && go mod download
ADD . /node
RUN cd /node && go run build/ci.go install -static ./cmd/node
FROM alpine:3.22
COPY --from=build /node/build/bin/node /usr/local/bin/
ARG COMMIT=""
ARG VERSION=""
LABEL commit="$COMMIT" version="$VERSION"
""",
    "a Go that is not from an image, some packages compiled early": """\
FROM alpine:3.22 AS build
WORKDIR /go/src/mesh
RUN apk add --no-cache curl tar
COPY go.toolchain.rev ./
RUN read -r REV <go.toolchain.rev && curl -fL -o /tmp/go.tgz "https://example.com/go-${REV}.tgz" && \\
    tar -C /usr/local -xzf /tmp/go.tgz && rm /tmp/go.tgz
ENV GOPATH=/go PATH=/usr/local/go/bin:/go/bin:$PATH
COPY go.mod go.sum ./
RUN go mod download
RUN go install golang.org/x/crypto/ssh example.com/netstack/tcpip
COPY . .
ARG VERSION_LONG=""
ENV VERSION_LONG=$VERSION_LONG
RUN go install -ldflags="-X mesh/version.long=$VERSION_LONG" ./cmd/mesh ./cmd/meshd
""",
    "modules of the project by patterns, values for make below": """\
FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26.5 AS build
WORKDIR /go/src/cd
COPY go.* ./
RUN mkdir -p engine
COPY engine/go.* ./engine
RUN go mod download
COPY . .
ARG TARGETOS \\
    TARGETARCH
ARG GIT_TAG BUILD_DATE GIT_COMMIT
RUN GIT_COMMIT=$GIT_COMMIT GIT_TAG=$GIT_TAG BUILD_DATE=$BUILD_DATE GOOS=$TARGETOS GOARCH=$TARGETARCH make all
""",
    "a builder image as an argument, platform read by a RUN of xx": """\
FROM --platform=$BUILDPLATFORM tonistiigi/xx:1.9.0 AS xx
FROM --platform=$BUILDPLATFORM golang:1.25.6-alpine3.22 AS build
COPY --from=xx / /
ARG TARGETPLATFORM
RUN xx-apk --update add musl-dev gcc
RUN xx-go --wrap
ARG GOPROXY
ENV CGO_ENABLED=1
COPY go.mod go.sum ./
COPY shared/go.mod shared/go.sum ./shared/
RUN go mod download
COPY . .
ARG VERSION
RUN make release-binary
""",
    "platform arguments in a stage per platform, in the environment": """\
FROM golang:1.24-alpine AS build
ARG TARGETOS
ARG TARGETARCH
ENV CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH}
WORKDIR /app
COPY go.mod go.sum /app/
RUN go mod download
COPY . /app/
RUN go build -o secrets main.go
""",
    "vendor copied by name, before the sources": """\
FROM --platform=$BUILDPLATFORM golang:1.24-alpine AS build
ARG TARGETPLATFORM
COPY pkg/ pkg/
COPY vendor/ vendor/
COPY main.go main.go
COPY go.mod .
RUN export GOARCH=$(echo ${TARGETPLATFORM} | cut -d / -f2) && go build -mod vendor -o manager main.go
""",
    "vendored, with mounts that Go has no use for": """\
FROM golang:1.24-alpine AS base
ENV GOFLAGS=-mod=vendor
WORKDIR /src
FROM base AS version
RUN --mount=target=. VERSION=$(git describe --always) && echo "-X a/b.Version=${VERSION}" | tee /tmp/.ldflags
FROM base AS build
ARG TARGETPLATFORM
RUN --mount=type=bind,target=. --mount=type=cache,target=/root/.cache --mount=type=cache,target=/go/pkg/mod \\
    --mount=type=bind,source=/tmp/.ldflags,target=/tmp/.ldflags,from=version \\
    xx-go build -ldflags "$(cat /tmp/.ldflags)" -o /usr/bin/tool ./cmd/tool
FROM build AS test
RUN --mount=type=bind,target=. --mount=type=cache,target=/go/pkg/mod go test ./...
""",
    "tools by version into a cache mount, sources of others by clone": """\
FROM golang:1.24-alpine AS base
FROM base AS dlv
ARG DELVE_VERSION
RUN --mount=target=/go/pkg/mod,type=cache GOBIN=/usr/bin go install github.com/go-delve/delve/cmd/dlv@${DELVE_VERSION}
FROM base AS plugin
RUN apk add git && git clone https://example.com/plugin.git /go/src/plugin
WORKDIR /go/src/plugin
RUN --mount=target=/root/.cache,type=cache CGO_ENABLED=0 go build -o /usr/bin/plugin ./plugins/plugin
""",
    "before modules: dep, and a tool by go get": """\
FROM golang:1.12 AS build
WORKDIR /go/src/example.com/proxy
RUN go get github.com/golang/dep/cmd/dep
COPY Gopkg.toml Gopkg.lock ./
RUN dep ensure -v -vendor-only
COPY internal internal
RUN CGO_ENABLED=0 go build -o /go/bin/proxy -v example.com/proxy/cmd/proxy
""",
    "a development image with sources and no build": """\
FROM company/develop:questing
WORKDIR /go/src/example.com/photos
COPY . .
COPY --chown=root:root /scripts/dist/ /scripts/
RUN sudo /scripts/install-tool.sh
""",
}

NOTED = "cache-mount"
# The line and name of every finding.
FOUND: dict[str, tuple[set[tuple[int, str]], str]] = {
    "sources and nothing else, then make": ({(4, "no-download-layer")}, """\
FROM golang AS build
COPY . /go/src/example.com/sync/
WORKDIR /go/src/example.com/sync/
RUN CGO_ENABLED=0 make
RUN ./sync version
"""),
    "a version from git, no layer of modules": ({(4, "no-download-layer")}, """\
FROM golang:1.24 AS build
WORKDIR /go/src/scan
COPY . .
RUN VERSION=$(git describe --tags --abbrev=0) && \\
CGO_ENABLED=0 go build -o bin/scan -ldflags "-X=example.com/scan/cmd.Version=${VERSION}"
"""),
    "git before make": ({(5, "no-download-layer")}, """\
FROM golang:1.24-alpine AS build
WORKDIR $GOPATH/src/example.com/metrics
RUN apk update && apk upgrade && apk add --no-cache alpine-sdk
COPY . $GOPATH/src/example.com/metrics
RUN git update-index --refresh; make build
"""),
    "a checkout in the image, make behind a condition": ({(9, "no-download-layer")}, """\
FROM golang:1.24-alpine3.22 AS build
ARG FORGE_VERSION="release/v1.12"
ARG TAGS="sqlite"
ENV TAGS "bindata $TAGS"
RUN apk --no-cache add build-base git nodejs npm
COPY . ${GOPATH}/src/forge
WORKDIR ${GOPATH}/src/forge
# check out
RUN if [ -n "${FORGE_VERSION}" ]; then git checkout "${FORGE_VERSION}"; fi \\
 && make clean-all build
"""),
    "a program that builds, by go run": ({(6, "no-download-layer")}, """\
ARG GOVERSION=latest
FROM golang:$GOVERSION AS build
WORKDIR /src
COPY . .
ENV CGO_ENABLED=0
RUN rm -f sync && go run build.go -no-upgrade build sync
"""),
    "values below, but nothing cached": ({(8, "no-download-layer")}, """\
FROM golang:1.24-alpine AS build
WORKDIR /build
COPY . /build
ARG VERSION=dev
ENV VERSION=${VERSION}
ARG GIT_COMMIT
ENV GIT_COMMIT=${GIT_COMMIT}
RUN CGO_ENABLED=1 go build -a -ldflags "-s -w -X example.com/cast/config.GitCommit=$GIT_COMMIT" -o cast .
"""),
    "go get before and after": ({(3, "copy-before-download")}, """\
FROM golang:1.24
RUN go get github.com/stretchr/testify/assert
COPY . /go/src/example.com/site
WORKDIR /go/src/example.com/site
RUN go get -d -v
RUN go build -o site main.go
"""),
    "Go by apt, make": ({(4, "no-download-layer")}, """\
FROM ubuntu:22.04
RUN apt-get update && apt-get install -y golang git
ADD . /opt/kv
RUN cd /opt/kv && make
"""),
    "a frontend, and sources before a build": ({(10, "no-download-layer")}, """\
FROM node:22-alpine AS ui
WORKDIR /ui
COPY ./web/ .
RUN yarn && yarn build
FROM golang:1.24-alpine AS build
WORKDIR /src
RUN apk --no-cache add gcc musl-dev
COPY . .
COPY --from=ui /ui/dist ./server/dist
RUN go build -o notes ./bin/server/main.go
"""),
    "a workspace, one module as a whole": ({(5, "copy-before-download")}, """\
FROM golang:1.24 AS build
WORKDIR /work
COPY go.work go.work.sum ./
COPY api/go.mod api/go.sum api/
COPY shared/ shared/
RUN go mod download
COPY api/ api/
RUN go build -o /bin/api ./api/cmd/api
"""),
    "a nested module as a whole": ({(4, "copy-before-download")}, """\
FROM golang:1.24-alpine AS build
RUN apk add gcc pkgconfig libc-dev
WORKDIR /workspace
COPY shared/ shared/
COPY go.mod go.mod
COPY go.sum go.sum
RUN go mod download
COPY cmd/ cmd/
RUN CGO_ENABLED=1 go build -o controller cmd/main.go
"""),
    "the whole context mounted for a download into a cache mount, values above it": ({(7, NOTED)}, """\
FROM --platform=$BUILDPLATFORM public.ecr.aws/docker/library/golang:1.24-bookworm AS base
FROM --platform=$BUILDPLATFORM base AS build
RUN apt-get update && apt-get install -y clang lld
ARG GIT_SHA
ARG GIT_TAG
WORKDIR /workspace
RUN --mount=type=bind,source=. --mount=type=cache,target=/go/pkg/mod go mod download
RUN --mount=type=bind,source=. --mount=from=ui,source=/build,target=./ui/build,ro \\
    --mount=type=cache,target=/go/pkg/mod <<EOT
    export CGO_ENABLED=1
    go build -ldflags="-w -s -X example.com/music/consts.gitSha=${GIT_SHA}" -o /out/music .
EOT
"""),
    "a version with a default, stamped later": ({(2, "value-before-download")}, """\
FROM docker.io/golang:1.24-bullseye AS build
ARG VERSION=dev
ENV GOPATH /go
WORKDIR /go/src/scale
COPY go.mod go.sum /go/src/scale/
RUN go mod download
COPY . .
RUN go install -tags ts2019 -ldflags="-s -w -X example.com/scale/cli.Version=$VERSION" -a ./cmd/scale
"""),
    "a platform in a stage for all platforms": ({(2, "value-before-download")}, """\
FROM --platform=${BUILDPLATFORM} golang:1.24 AS build
ARG TARGETARCH
WORKDIR /workspace
COPY go.mod go.mod
COPY go.sum go.sum
RUN go mod download
COPY . .
RUN GOARCH=${TARGETARCH} go build -a -o manager cmd/main.go
"""),
    "many values in one environment, nothing downloaded": ({(10, "no-download-layer")}, """\
FROM --platform=$BUILDPLATFORM golang:1.24-bullseye AS build
ARG GOPROXY
ARG BIN
ARG PKG
ARG VERSION
ARG TARGETOS
ENV CGO_ENABLED=0 GOPROXY=${GOPROXY} GOOS=${TARGETOS} LDFLAGS="-X ${PKG}/pkg/buildinfo.Version=${VERSION}"
WORKDIR /go/src/backup
COPY . /go/src/backup
RUN mkdir -p /output/usr/bin && go build -o /output/${BIN} -ldflags "${LDFLAGS}" ${PKG}/cmd/${BIN}
"""),
    "two stages share a cache mount": ({(6, NOTED)}, """\
ARG GIT_COMMIT=unknown
FROM golang:1.24-alpine AS builder
RUN apk update && apk add --no-cache git make gcc bash
WORKDIR /go/src/flows
COPY go.mod go.sum .
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
FROM builder AS exec
ARG GIT_COMMIT
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build make dist/exec
FROM builder AS controller
ARG GIT_COMMIT
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build make dist/controller
"""),
    "a cache mount where an ENV puts modules": ({(6, NOTED)}, """\
FROM --platform=$BUILDPLATFORM golang:1.26.3-alpine AS build
ARG RELEASE=0
ENV GOMODCACHE=/root/.cache/go-mod
COPY go.mod .
COPY go.sum .
RUN --mount=type=cache,target=${GOMODCACHE} go mod download
COPY Makefile .
COPY cmd/ cmd/
RUN --mount=type=cache,target=${GOMODCACHE} make install
COPY . .
ARG TARGETARCH
RUN --mount=type=cache,target=${GOMODCACHE} RELEASE=${RELEASE} GOARCH=${TARGETARCH} make build
"""),
    "a stamped server, values below": ({(6, NOTED)}, """\
FROM golang:1.24-alpine AS base
RUN apk add bash ca-certificates git gcc g++ libc-dev
ENV GO111MODULE=on
COPY go.mod .
COPY go.sum .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build go mod download
FROM base AS server
ARG TARGETARCH
ARG GIT_BRANCH="unknown"
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod GOOS=linux GOARCH=$TARGETARCH go build \\
      -ldflags '-w -X example.com/vector/build.Branch='"$GIT_BRANCH"'' -o /vector ./cmd/vector
"""),
    "modules of another stage, forgotten": ({(6, "modules-lost")}, """\
FROM golang:1.24 AS modules
COPY go.mod go.sum /modules/
RUN cd /modules && go mod download
FROM golang:1.24 AS build
COPY . /app
RUN cd /app && go build -o /bin/app ./cmd/app
"""),
    "a mount that hides the layer of modules": ({(6, "modules-lost"), (6, NOTED)}, """\
FROM golang:1.24 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build go build -o /app ./cmd/app
"""),
    "an image from years ago": ({(1, "old-image")}, """\
FROM golang:1.15-buster as builder
WORKDIR /app
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make bin/tool
"""),
}  # fmt: skip


def context_of(folder: Path, *, vendored: bool) -> Context:
    """A context as such a project has it."""
    files = ("go.sum", "cmd/main.go", "shared/shared.go", "main.go", ".git/HEAD", ".github/x.yml", ".env", "hack/x.sh")
    for file in (*files, "vendor/modules.txt") if vendored else files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("x")
    for file in ("go.mod", "shared/go.mod"):
        (folder / file).write_text("module example.com/x\n\ngo 1.24\n\nrequire example.com/lib v1.0.0\n")
    return read_context(folder)


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern_without_fault_has_no_error(tmp_path: Path, name: str) -> None:
    """At most a note, where modules are in a cache mount."""
    found = {each.slug for each in check(PATTERNS[name], context_of(tmp_path, vendored="vendored" in name))}
    assert found <= {NOTED}
    assert not found or "target=/go/pkg/mod" in PATTERNS[name] or "target=/cache/mod" in PATTERNS[name]


@pytest.mark.parametrize("name", FOUND)
def test_pattern_with_fault_has_this_finding_only(tmp_path: Path, name: str) -> None:
    expected, text = FOUND[name]
    found = check(text, context_of(tmp_path, vendored=False))
    assert {(each.line, each.slug) for each in found} == expected
    assert all(each.what and FINDINGS[each.slug].instead for each in found)
