"""Which files a build for Linux reads: our answer and that of `go list`."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from go_prefetch.docker.go_files import package_files
from tests.support.workbench import Workbench

NAMES = ("a", "linux", "windows", "a_linux", "a_windows", "a_amd64", "a_arm64", "a_darwin_amd64", "a_linux_arm64",
         "a_windows_linux", "a_linux_test", "_a", "a_unix", "a_zos", "a_b_js_wasm", "windows_a", "a_test_linux",
         "a_windows_b", "a_linux_amd64", "a_darwin_b_amd64")  # fmt: skip
CONSTRAINTS = (
    "//go:build linux", "//go:build !linux", "//go:build windows || linux", "//go:build (windows || linux) && !cgo",
    "//go:build ignore", "//go:build tools", "//go:build !(darwin || windows) && amd64", "//go:build go1.18",
    "//go:build unix && !android", "//go:build cgo", "// +build linux,!cgo windows",
    "// +build linux\n// +build !arm64", "// +build ignore", "/* //go:build windows */", "package a // not above",
    "//go:build !race && !(js && wasm)", "//go:build gc && !appengine", "// +build !windows darwin",
)  # fmt: skip


def test_same_files_as_go_list(bench: Workbench) -> None:
    """For names and for constraints, also the old ones and those that are in comments."""
    folders = {}
    for number, (name, constraint) in enumerate(itertools.product(NAMES[:1], CONSTRAINTS)):
        folders[f"c{number}"] = {f"{name}.go": f"{constraint}\n\npackage c\n"}
    folders["names"] = {f"{name}.go": "package names\n\nconst X = `\n//go:build ignore`\n" for name in NAMES}
    for folder, files in folders.items():
        (bench.project / folder).mkdir(parents=True)
        for name, text in {"kept.go": f"package {folder.rstrip('0123456789')}\n", **files}.items():
            (bench.project / folder / name).write_text(text.replace("const X", f"const X{len(name)}{abs(hash(name))}"))
    (bench.project / "go.mod").write_text("module example.com/x\n\ngo 1.16\n")
    said = bench.go("list", "-e", "-json=Dir,GoFiles", "./...", GOOS="linux", GOARCH="amd64", CGO_ENABLED="1").stdout
    theirs, at = {}, 0
    while said[at:].strip():
        value, end = json.JSONDecoder().raw_decode(said[at:].lstrip())
        at += len(said[at:]) - len(said[at:].lstrip()) + end
        theirs[Path(value["Dir"]).name] = sorted(value.get("GoFiles") or [])
    ours = {folder: [path.name for path, _ in package_files(bench.project / folder)] for folder in folders}
    ours = {folder: names for folder, names in ours.items() if folder in theirs}
    assert len(theirs) > len(CONSTRAINTS)
    assert ours == {folder: theirs[folder] for folder in ours}
