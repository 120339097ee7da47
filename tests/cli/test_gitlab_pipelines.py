"""The GitLab template, run by gitlab-ci-local: fill and read, in the job, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from go_prefetch import __version__
from tests.support.fakes.modules import damaged
from tests.support.gitlab import (
    ARCHIVE,
    NO_IMAGE,
    ROOT,
    Pipeline,
    file_server,
    gitlab_ci_local,
    include,
)
from tests.support.released import released
from tests.support.snapshots import YamlFile
from tests.support.workbench import Workbench

# npm and the module proxy; rsync and busybox.
pytestmark = [pytest.mark.network, pytest.mark.system]

SERVICE = ROOT / "examples" / "service"
SYSTEM_PATH = "/usr/bin:/bin"
PROXIES = "https://proxy.golang.org"
BUILD = """
stages: [build]

build:
  stage: build
  extends: .go-prefetch
  variables:
    GOPROXY: "file://$GO_PREFETCH_FOLDER"
    GOMODCACHE: "$CI_PROJECT_DIR/../modules"
    GOFLAGS: -modcacherw
  script:
    - go mod download
    - go mod verify
    - echo "result $GO_PREFETCH_CACHE_RESULT of $GO_PREFETCH_MODULES"
"""


@pytest.fixture(scope="module")
def release() -> Path:
    return released()


@pytest.fixture(scope="module")
def url(release: Path) -> Iterator[str]:
    with file_server(release) as address:
        yield address


@pytest.fixture
def pipeline(bench: Workbench) -> Pipeline:
    made = Pipeline(bench, gitlab_ci_local())
    shutil.copytree(SERVICE, made.folder, dirs_exist_ok=True)
    return made


@pytest.fixture
def template(release: Path) -> Path:
    return release / "templates" / "go-prefetch.yml"


def planned(pipeline: Pipeline) -> set[str]:
    """The files that the cache is to hold."""
    said = pipeline.bench.run("plan", "--format", "json", cwd=pipeline.folder)
    return {file["name"] for file in json.loads(said.stdout)["files"]} | {".gitignore"}


def held(folder: Path) -> set[str]:
    """The files, without the notes of cold runs."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    return {name for name in names if not name.startswith(".go-prefetch/")}


def times(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_miss_then_exact_then_partial(pipeline: Pipeline, url: str, template: Path) -> None:
    """A job of plain Go builds from the folder alone, each time; the folder holds what the plan names, and no more."""
    pipeline.write(include(url, goproxy=PROXIES) + BUILD + NO_IMAGE, template)
    assert_miss_then_exact(pipeline)
    change_one_dependency(pipeline)
    fall_back(pipeline)
    changed = pipeline.run()
    assert changed.status == 0, changed.text
    assert "result partial of 52" in changed.text
    # What a runner archives; gitlab-ci-local adds it to what lies under the key already.
    assert held(pipeline.built("go-prefetch", ".go-prefetch")) == planned(pipeline)


def test_component_fills_the_folder(pipeline: Pipeline, url: str, template: Path) -> None:
    """`include: component:`, as other projects take it."""
    how = "component: $CI_SERVER_FQDN/$CI_PROJECT_PATH/go-prefetch@$CI_COMMIT_SHA"
    pipeline.write(include(url, how=how, goproxy=PROXIES) + BUILD + NO_IMAGE, template)
    done = pipeline.run("go-prefetch")
    assert done.status == 0, done.text
    assert held(pipeline.built("go-prefetch", ".go-prefetch")) == planned(pipeline)


def assert_miss_then_exact(pipeline: Pipeline) -> None:
    """Two pipelines: the first fills the cache, the second finds everything and changes no file in it."""
    cold = pipeline.run()
    assert cold.status == 0, cold.text
    assert "all modules verified" in cold.text
    assert "result miss of 53" in cold.text
    (cached,) = [path for path in caches(pipeline).iterdir() if "latest" not in path.name]
    assert held(cached / ".go-prefetch") == planned(pipeline)
    before = times(cached)
    warm = pipeline.run()
    assert warm.status == 0, warm.text
    assert "result exact of 53" in warm.text
    assert "0 downloaded" in warm.text
    assert times(pipeline.built("go-prefetch", ".go-prefetch")) == times(cached / ".go-prefetch")
    assert times(cached) == before


@pytest.mark.skipif(shutil.which("go", path=SYSTEM_PATH) is not None, reason="there is a Go on the system's own PATH")
@pytest.mark.nightly
def test_poisoned_cache_stops_jobs_until_go_heals_it(pipeline: Pipeline, url: str, template: Path) -> None:
    """A well-formed zip with other content: never built, red for as long as `fill` has no Go, and then gone."""
    without_go = f'go-prefetch:\n  image: ""\n  before_script:\n    - export PATH={SYSTEM_PATH}\n'
    given = {"goproxy": PROXIES, "python": sys.executable}
    pipeline.write(include(url, **given) + BUILD + without_go, template)
    cold = pipeline.run()
    assert cold.status == 0, cold.text
    (cached,) = [path for path in caches(pipeline).iterdir() if "latest" not in path.name]
    (victim,) = (cached / ".go-prefetch/github.com/google/uuid/@v").glob("*.zip")
    right = victim.read_bytes()
    victim.write_bytes(damaged(victim.name, right))
    for _ in range(2):
        forget_modules(pipeline)
        red = pipeline.run()
        assert red.status != 0, red.text
        assert "verified: no: there is no `go` on PATH" in red.text
        assert "SECURITY ERROR" in red.text
    pipeline.write(include(url, **given) + BUILD + NO_IMAGE, template)
    forget_modules(pipeline)
    green = pipeline.run()
    assert green.status == 0, green.text
    assert "verified: 130 files by go1." in green.text
    assert green.text.count("[files-rejected]") == 1
    assert victim.read_bytes() == right


def forget_modules(pipeline: Pipeline) -> None:
    """Jobs of other machines have no module cache from the pipeline before."""
    shutil.rmtree(pipeline.built("modules", ""), ignore_errors=True)


def caches(pipeline: Pipeline) -> Path:
    return pipeline.folder / ".gitlab-ci-local" / "cache"


def change_one_dependency(pipeline: Pipeline) -> None:
    """Another version of uuid, and no JWT any more."""
    gomod = pipeline.folder / "go.mod"
    lines = [line for line in gomod.read_text().splitlines() if "golang-jwt" not in line]
    gomod.write_text("\n".join(lines).replace("google/uuid v1.6.0", "google/uuid v1.5.0") + "\n")
    gosum = pipeline.folder / "go.sum"
    kept = [line for line in gosum.read_text().splitlines() if "golang-jwt" not in line and "google/uuid" not in line]
    gosum.write_text("\n".join([*kept, *UUID_1_5]) + "\n")
    pipeline.commit()


UUID_1_5 = (
    "github.com/google/uuid v1.5.0 h1:1p67kYwdtXjb0gL0BPiP1Av9wiZPo5A8z2cWkTZ+eyU=",
    "github.com/google/uuid v1.5.0/go.mod h1:TIyPZe4MgqvfeYDBFedMoGGpEw/LqOeaOT+nhxU+yHo=",
)


def fall_back(pipeline: Pipeline) -> None:
    """What a runner does with `fallback_keys`, which gitlab-ci-local does not know: take `latest` for the new key."""
    known = {path.name for path in caches(pipeline).iterdir()}
    latest = pipeline.bench.folder / "latest"
    shutil.copytree(caches(pipeline) / "go-prefetch-1-latest", latest)
    assert pipeline.run("go-prefetch").status == 0  # to learn the new key
    (new,) = (path for path in caches(pipeline).iterdir() if path.name not in known)
    shutil.rmtree(new)
    shutil.move(latest, new)


def test_reports_are_collected(pipeline: Pipeline, url: str, template: Path) -> None:
    """Sections in the log, dotenv, metrics, a link and the summary; none of it is seen by git."""
    pipeline.write(include(url) + NO_IMAGE, template)
    done = pipeline.run("go-prefetch")
    assert done.status == 0, done.text
    reports = pipeline.built("go-prefetch", ".go-prefetch-reports")
    assert pipeline.outputs()["GO_PREFETCH_CACHE_RESULT"] == "miss"
    assert "go_prefetch_modules 53\n" in (reports / "metrics.txt").read_text()
    assert (reports / "summary.md").read_text().startswith("**go-prefetch: miss** · ")
    (link,) = json.loads((reports / "annotations.json").read_text())["go-prefetch"]
    assert link["external_link"]["url"].endswith("/artifacts/file/.go-prefetch-reports/summary.md")
    status = pipeline.bench.program(
        ["git", "status", "--porcelain", "--", ".go-prefetch", ".go-prefetch-reports"],
        cwd=pipeline.built("go-prefetch", "."),
    )  # fmt: skip
    assert status.stdout == ""


@pytest.mark.nightly
def test_run_in_the_job_fills_the_module_cache(pipeline: Pipeline, url: str, template: Path) -> None:
    """`.go-prefetch:run`: go builds offline behind it; the pool that the cache carries has the plan's files only."""
    job = (
        "stages: [build]\nbuild:\n  stage: build\n  extends: .go-prefetch:run\n  variables:\n"
        '    GOMODCACHE: "$CI_PROJECT_DIR/../modules-$CI_JOB_ID"\n    GOFLAGS: -modcacherw\n'
        '  script:\n    - GOPROXY=off go mod download\n    - go mod verify\n'
    )  # fmt: skip
    pipeline.write(include(url, goproxy=PROXIES) + job + NO_IMAGE, template)
    cold = pipeline.run("build")
    assert cold.status == 0, cold.text
    assert pipeline.outputs("build")["GO_PREFETCH_CACHE_RESULT"] == "miss"
    warm = pipeline.run("build")
    assert warm.status == 0, warm.text
    assert pipeline.outputs("build")["GO_PREFETCH_CACHE_RESULT"] == "exact"
    assert "all modules verified" in warm.text
    change_one_dependency(pipeline)
    (cache,) = caches(pipeline).iterdir()
    known = cache.rename(cache.with_name("known"))
    assert pipeline.run("build").status == 0
    (new,) = (path for path in cache.parent.iterdir() if path != known)
    shutil.rmtree(new)
    known.rename(new)
    changed = pipeline.run("build")
    assert changed.status == 0, changed.text
    assert pipeline.outputs("build")["GO_PREFETCH_CACHE_RESULT"] == "partial"
    pool = pipeline.built("build", ".go-prefetch")
    files = {name for name in held(pool) if not name.startswith(".go-prefetch/")}
    assert files == planned(pipeline)


@pytest.mark.nightly
def test_build_cache_is_carried_between_jobs(pipeline: Pipeline, url: str, template: Path) -> None:
    """A job compiles what changed, from an empty GOCACHE, and saves that. Its own after_script names the template's."""
    job = """
stages: [build]
build:
  stage: build
  extends: .go-prefetch:run
  variables:
    GOMODCACHE: "$CI_PROJECT_DIR/../modules"
    GOCACHE: "$CI_PROJECT_DIR/../gocache-$CI_JOB_ID"
    GOFLAGS: -modcacherw -buildvcs=false
  script:
    - go build -x ./... 2>../log
    - echo "compiled $(grep -c '/compile ' ../log)"
  after_script:
    - !reference [.go-prefetch:save-build-cache, script]
    - git status --porcelain
"""
    make_small(pipeline.folder)
    pipeline.write(include(url, goproxy=PROXIES, build_cache="auto") + job + NO_IMAGE, template)
    compiled, entries = [], []
    for line in ("func main() {}", "func main() {}", 'func main() { println("changed") }'):
        (pipeline.folder / "main.go").write_text(f"package main\n\n{line}\n")
        pipeline.commit()
        done = pipeline.run("build")
        assert done.status == 0, done.text
        assert "??" not in done.text  # git sees none of our files; Go would stamp a program with `vcs.modified`
        compiled += re.findall(r"> compiled (\d+)", done.text)
        held = caches(pipeline) / "go-prefetch-build-1-build" / ".go-prefetch-build" / ".go-prefetch" / "entries"
        entries.append(len(list(held.glob("go-prefetch-build-1-*"))))
    assert int(compiled[0]) > 10
    assert compiled[1:] == ["0", "1"]
    assert entries == [1, 1, 2]


def make_small(folder: Path) -> None:
    """Leave one module in the plan, and a program that imports nothing."""
    shutil.rmtree(folder / "internal")
    (folder / "go.mod").write_text("module example.com/app\n\ngo 1.21\n\nrequire github.com/google/uuid v1.5.0\n")
    (folder / "go.sum").write_text("\n".join([*UUID_1_5, ""]))


def test_pipeline_without_the_filling_job_runs(pipeline: Pipeline, url: str, template: Path) -> None:
    """As docs/gitlab.md says: rules of a project's own replace those of the job, with the variables they set."""
    lines = (ROOT / "docs" / "gitlab.md").read_text().splitlines()
    without = lines[lines.index("go-prefetch:") : lines.index("    - when: never") + 1]
    build = "stages: [build]\nbuild:\n  stage: build\n  extends: .go-prefetch:run\n  script: [go mod verify]\n"
    pipeline.write(include(url, goproxy=PROXIES) + build + "\n".join(without), template)
    done = pipeline.run()
    assert done.status == 0, done.text
    assert "all modules verified" in done.text
    assert not pipeline.built("go-prefetch", "").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("save", "maybe"),
        ("fallback", "never"),
        ("build-cache", "maybe"),
        ("build-cache-name", "two words"),
        ("on-failure", "ignore"),
        ("jobs", "many"),
        ("unprotect", "perhaps"),
        ("archive-sha256", "abc"),
        ("job-name", "two words"),
        ("cache-name", "a/b"),
        ("goproxy", 'https://a" ; touch /tmp/x; "'),
        ("deadline", "$(id)"),
        ("store", "ftp://host"),
        ("key-files", "go.sum"),
    ],
)
def test_bad_input_is_refused_by_name(pipeline: Pipeline, url: str, name: str, value: str) -> None:
    """Before any job runs."""
    pipeline.write(include(url, **{name: value}))
    done = pipeline.run()
    assert done.status != 0
    assert f"`{name}` input" in done.text, done.text


def test_input_is_never_run_as_a_command(pipeline: Pipeline, url: str, template: Path) -> None:
    """Shell syntax in inputs stays text: nothing is made of it in the job."""
    evil = "$(touch pwned)`touch pwned`; touch pwned #"
    given = {"working_directory": evil, "python": evil, "goproxy": f"https://proxy.golang.org,{evil}"}
    pipeline.write(include(url, **given) + NO_IMAGE, template)
    pipeline.run("go-prefetch")
    assert not list(pipeline.folder.rglob("pwned"))


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param({}, id="defaults"),
        pytest.param({
            "job_name": "modules", "stage": "prepare", "image": "registry.example.com/python:3", "key_files":
            ["a/go.sum", "b/go.sum"], "unprotect": True, "merge_request_pipelines": True, "merge_request_note": True,
            "archive_sha256": "0" * 64, "working_directory": "a\nb", "goproxy": "https://proxy.example.com|direct",
            "fallback": "any", "store": "dir:/cache/pool", "save": "true", "cache_name": "next", "jobs": 4, "deadline":
            "2m", "build_cache": "auto", "build_cache_name": "unit", "on_failure": "warn", "check_present": True,
            "for_tidy": True, "test_cache": True, "summary": False, "python": "python3.12",
        }, id="every input"),
    ],
)  # fmt: skip
def test_preview_is_valid(pipeline: Pipeline, snapshot: SnapshotAssertion, inputs: dict[str, Any]) -> None:
    """What the template expands to, by GitLab's own schema for pipelines."""
    job = "stages: [prepare, build]\nbuild:\n  stage: build\n  extends: [.%s:run]\n  script: [go build ./...]\n"
    read = "test:\n  stage: build\n  extends: .%s\n  script: [go test ./...]\n"
    name_of_job = str(inputs.get("job_name", "go-prefetch"))
    pipeline.write(include("https://example.com", **inputs) + job % name_of_job + read % name_of_job)
    preview = pipeline.preview()
    assert preview.replace(__version__, "VERSION") == snapshot(extension_class=YamlFile)
    expanded = pipeline.bench.folder / "expanded.yml"
    expanded.write_text(preview)
    checked = pipeline.bench.program(
        ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(expanded)], cwd=pipeline.folder
    )
    assert checked.status == 0, checked.text


@pytest.mark.parametrize("name", ["service.gitlab-ci.yml", "monorepo.gitlab-ci.yml"])
def test_examples_are_valid(pipeline: Pipeline, name: str) -> None:
    """The documented pipelines expand, with the component taken from this repository."""
    text = (ROOT / "examples" / "gitlab" / name).read_text()
    head, _, rest = text.partition(f"  - component: $CI_SERVER_FQDN/org/go-prefetch/go-prefetch@{__version__}\n")
    assert rest, f"{name} does not include the component"
    pipeline.write(f"{head}  - local: templates/go-prefetch.yml\n{rest}")
    expanded = pipeline.bench.folder / "expanded.yml"
    expanded.write_text(pipeline.preview())
    checked = pipeline.bench.program(
        ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(expanded)], cwd=pipeline.folder
    )
    assert checked.status == 0, checked.text


def test_wrong_digest_is_red_and_a_missing_mirror_is_not(pipeline: Pipeline, url: str, template: Path) -> None:
    """Other bytes than the release's are never run; a mirror that is down only costs the cache."""
    pipeline.write(include(url, archive_sha256="0" * 64) + BUILD.replace('"file://$GO_PREFETCH_FOLDER"',
        '"file://$GO_PREFETCH_FOLDER|https://proxy.golang.org"') + NO_IMAGE, template)  # fmt: skip
    wrong = pipeline.run()
    assert "FAIL 70" in wrong.text  # which is not the status that the job may end with; gitlab-ci-local ends with 0
    assert "was not run, because its SHA-256 is not 0000" in wrong.text
    gone = pipeline.run(GO_PREFETCH_ARCHIVE=f"{url}/no-such-file", GO_PREFETCH_ARCHIVE_SHA256="0" * 64)
    assert gone.status == 0, gone.text
    assert "404" in gone.text
    assert "all modules verified" in gone.text


@pytest.mark.nightly
def test_mirror_variable_wins(pipeline: Pipeline, url: str, template: Path, release: Path) -> None:
    """A closed network sets one variable: the digest stays that of the release. A path in the image will do too."""
    pipeline.write(include("https://unreachable.invalid") + NO_IMAGE, template)
    for place in (f"{url}/{ARCHIVE}", str(release / ARCHIVE)):
        done = pipeline.run("go-prefetch", GO_PREFETCH_ARCHIVE=place)
        assert done.status == 0, done.text
