"""The Dockerfile that is printed: a dependency layer from the folder, then the sources, then a small image."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass

from go_prefetch.docker.context import Context
from go_prefetch.docker.project import LocalModule, Project
from go_prefetch.errors import InputError

FOLDER = "/gomod"
MODULE_LIST = "modules.txt"
MOUNT = f"--mount=type=bind,from=gomod,target={FOLDER}"
LOGIN = "--mount=type=secret,id=netrc,target=/root/.netrc"
_PLAIN = re.compile(r"[\w.~+@,=%/-]+")
_PATTERNS = re.compile(r"[\w.~+@,=%/*?\[\]-]+")  # of GOPRIVATE
_STATIC, _WITH_LIBC = "static-debian12", "base-debian12"


@dataclass(frozen=True)
class Style:
    """How the module folder reaches the build."""

    named_context: bool  # with BuildKit's --build-context; otherwise a folder of the context, for every builder
    folder: str  # the name of that folder there
    context: str  # the build context, relative to where the build starts
    exposed: bool = False  # the context has the folder too, although the build takes it by its name

    @property
    def output(self) -> str:
        """Return the folder as a shell word, relative to where the build starts."""
        return shlex.quote(self.folder if self.named_context else posixpath.normpath(f"{self.context}/{self.folder}"))

    @property
    def place(self) -> str:
        """Return the arguments of `docker build` for the context. The Dockerfile is where the build starts."""
        return "." if self.context == "." else f"-f Dockerfile {shlex.quote(self.context)}"


def dockerfile_for(project: Project, style: Style) -> str:
    """Return a multi-stage Dockerfile, ending in a newline. `refuse_unbuildable` has passed the project."""
    blocks = [_head(project, style), _modules_stage(project, style), _dependencies(project, style)]
    blocks += [_libraries(project), _build(project, style), _final(project)]
    return "\n".join(f"{block}\n" for block in blocks if block)


def refuse_unbuildable(project: Project, style: Style, context: Context) -> None:
    """Raise InputError for names that have a meaning in a Dockerfile, and for files that the builder does not get."""
    if project.unreachable and not project.vendored:
        raise InputError("folder-not-in-image", path=project.unreachable[0])
    copied = [
        project.folder,
        *(each.folder for each in project.modules),
        *([] if style.named_context else [style.folder]),
    ]
    told = [project.name, style.folder, style.context]
    odd = [name for name in copied if not _PLAIN.fullmatch(name)] + [name for name in told if not name.isprintable()]
    odd += [project.private] if project.private and not _PATTERNS.fullmatch(project.private) else []
    if odd:
        raise InputError("name-not-for-dockerfile", name=odd[0])
    hidden = [path for path in project.module_files() if context.ignore.excludes(path)]
    copied_folder = style.folder if project.needs_modules and not style.named_context else ""
    if copied_folder and context.ignore.excludes(copied_folder) and not context.ignore.may_include_below(copied_folder):
        hidden.append(copied_folder)
    if hidden:
        raise InputError("dockerignore-hides-build", ignore=context.ignore_file, path=hidden[0])


def proxy_argument(otherwise: str) -> str:
    """Return the ARG that lets Go look into the folder, and what it does for modules that are not there."""
    return f"ARG GOPROXY=file://{FOLDER},{otherwise}"


def download_command(*, listed: bool) -> str:
    """Return the command of the RUN that downloads the modules; `listed` means that the folder has a list of them."""
    return f"xargs -r go mod download < {FOLDER}/{MODULE_LIST}" if listed else "go mod download"


def _head(project: Project, style: Style) -> str:
    lines = [f"# For {project.name}, printed by `go-prefetch docker --dockerfile`. It is yours to edit."]
    option = f"--build-context gomod={style.output} " if style.named_context else ""
    if project.needs_modules:
        lines += [
            "# Before the build, wherever the network and the cache are:",
            f"#   go-prefetch docker --output {style.output}",
            f"#   docker build {option}{style.place}",
        ]
    if project.needs_modules and style.exposed:
        lines.append("# Keep the folder out of the context, or it is sent twice: go-prefetch docker --dockerignore")
    if project.needs_modules and style.named_context and not project.listed:
        network = f"file://{FOLDER},https://proxy.golang.org,direct"
        lines.append(f"# If the folder is empty: docker build --build-arg GOPROXY={network} {style.place}")
    if project.private and project.needs_modules:
        lines += [
            "# If the folder lacks private modules, pass the login of their server, which no layer keeps:",
            f"#   docker build {option}--secret id=netrc,src=$HOME/.netrc "
            f"--build-arg GOPROXY=file://{FOLDER},direct {style.place}",
        ]
    lines += [
        f"ARG GO_IMAGE=docker.io/library/golang:{project.go}-bookworm",
        f"ARG RUNTIME_IMAGE=gcr.io/distroless/{_WITH_LIBC if project.cgo else _STATIC}:nonroot",
    ]
    return "\n".join(lines)


def _modules_stage(project: Project, style: Style) -> str:
    if not (project.needs_modules and style.named_context):
        return ""
    return "# An empty folder, unless --build-context gomod=… puts another in its place.\nFROM scratch AS gomod"


def _dependencies(project: Project, style: Style) -> str:
    # With cgo, a C compiler for the target is needed, so the stage runs on the target's platform.
    platform = "--platform=$BUILDPLATFORM " if style.named_context and not project.cgo else ""
    flags = "-mod=vendor" if project.vendored else "-mod=readonly"
    unknown = "# Unknown whether a module needs cgo: print this file again when the folder is filled."
    lines = [
        f"FROM {platform}${{GO_IMAGE}} AS dependencies",
        *([unknown] if project.cgo is None else []),
        f"ENV CGO_ENABLED={int(bool(project.cgo))} GOFLAGS={flags} GOTOOLCHAIN=local",
        f"WORKDIR {_workdir(project)}",
        *_definitions(project),
    ]
    if project.vendored:
        vendor = _at(project.folder, "vendor/")
        lines += [
            "# The vendored packages change less often than the sources: a layer of their own.",
            f"COPY {vendor} vendor/",
        ]
    if project.needs_modules:
        lines += _download(project, style)
    return "\n".join(lines)


def _definitions(project: Project) -> list[str]:
    lines = []
    if project.workspace:
        names = ["go.work", "go.work.sum"] if project.has_work_sum else ["go.work"]
        lines.append(f"COPY {' '.join(_at(project.folder, name) for name in names)} ./")
    for module in project.modules:
        names = ["go.mod", "go.sum"] if module.has_sum else ["go.mod"]
        lines.append(f"COPY {' '.join(_at(module.folder, name) for name in names)} {_target(module)}")
    return lines


def _download(project: Project, style: Style) -> list[str]:
    command = download_command(listed=project.listed)
    args = [proxy_argument("off")]
    secret = ""
    if project.private:  # with GOPRIVATE, Go would not look into the folder
        args += ["ARG GONOPROXY=none", f'ARG GONOSUMDB="{project.private}"']
        secret = f"{LOGIN} "
    if style.named_context:
        return [
            "# An ARG is part of every RUN below it, so it stands low: another proxy leaves what is above as it is.",
            *args,
            f"RUN {MOUNT} {secret}{command}",
        ]
    return [f"COPY {style.folder}/ {FOLDER}/", *args, f"RUN {secret}{command}"]


def _libraries(project: Project) -> str:
    if not project.libraries:
        return ""
    copies = [f"COPY {module.folder}/ {_target(module)}" for module in project.libraries]
    return "\n".join(
        [
            "# Modules of the workspace that others build on: they change less often.",
            "FROM dependencies AS libraries",
            *copies,
        ]
    )


def _build(project: Project, style: Style) -> str:
    programs = project.programs
    network = "--network=none --mount=type=cache,target=/root/.cache/go-build " if style.named_context else ""
    if project.listed and style.named_context:  # the list has the zips; Go reads `.mod` files of other versions too
        network += f"{MOUNT} "
    target = "GOOS=$TARGETOS GOARCH=$TARGETARCH " if style.named_context and not project.cgo else ""
    lines = [f"FROM {'libraries' if project.libraries else 'dependencies'} AS build"]
    if project.needs_modules and not style.named_context:  # the folder must not be in the layer of sources again
        lines = ["FROM ${GO_IMAGE} AS sources", "COPY . /src/", f"RUN rm -rf /src/{style.folder}", "", *lines]
        lines.append("COPY --from=sources /src/ /src/")
    else:
        lines.append("COPY . /src/")
    if len(programs) > 1:
        lines.append(f"# The program to build: one of {', '.join(programs)}")
    if not programs:
        lines.append("# No package main was found: give the one to build, as --build-arg PROGRAM=./cmd/NAME.")
    lines.append(f"ARG PROGRAM={programs[0]}" if programs else "ARG PROGRAM")
    if target:
        lines.append("ARG TARGETOS TARGETARCH")
    if project.listed:  # not every builder hands an ARG on to the next stage
        lines.append(proxy_argument("off"))
    program = "$PROGRAM" if programs else "${PROGRAM:?}"
    lines.append(f'RUN {network}{target}go build -trimpath -ldflags="-s -w" -o /out/app {program}')
    return "\n".join(lines)


def _final(project: Project) -> str:
    del project
    return "\n".join(
        [
            "FROM ${RUNTIME_IMAGE}",
            "COPY --from=build /out/app /app",
            "USER 65532:65532",
            'ENTRYPOINT ["/app"]',
        ]
    )


def _workdir(project: Project) -> str:
    return "/src" if project.folder == "." else f"/src/{project.folder}"


def _at(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _target(module: LocalModule) -> str:
    return "/src/" if module.folder == "." else f"/src/{module.folder}/"
