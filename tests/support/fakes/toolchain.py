"""A small Go toolchain to download. Its go notes that it ran, and calls the real one."""

from __future__ import annotations

import shutil
import subprocess

from tests.support.fakes.modules import FakeModule

NAME = "go1.99.0"


def platform() -> str:
    """The system and architecture of the real go, as in `linux-amd64`."""
    argv = ["go", "env", "GOHOSTOS", "GOHOSTARCH"]
    return "-".join(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())


def toolchain(says: str = "good", name: str = NAME) -> FakeModule:
    """Its go adds `says` to the file that the variable TOOLCHAIN_LOG names, each time it runs."""
    go = (
        f'#!/bin/sh\necho {says} >>"${{TOOLCHAIN_LOG:-/dev/null}}"\nunset GOTOOLCHAIN_INTERNAL_SWITCH_VERSION GOROOT\n'
        f'GOTOOLCHAIN=local exec "{shutil.which("go")}" "$@"\n'
    )
    return FakeModule(
        "golang.org/toolchain",
        f"v0.0.1-{name}.{platform()}",
        files={"bin/go": go, "bin/gofmt": "", "pkg/tool/tool": "", "lib/time/none": "", "src/_go.mod": "module std\n"},
        has_gomod=False,
    )
