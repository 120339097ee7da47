"""The plan of a workspace is what Go takes: the selected versions, with the modules that no member lists."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import HELLO, FakeModule, write_project
from tests.support.notices import facts
from tests.support.same_process import prefetch
from tests.support.service_job import MAIN
from tests.support.workbench import Result, Workbench

OLD_LIB = FakeModule("example.com/lib", "v1.0.0")
HELPER = FakeModule("example.com/helper", "v1.1.0")
ONLY_TESTED = FakeModule("example.com/tested", "v1.0.0")
# The newer version imports a module that the older one does not know.
LIB = FakeModule(
    "example.com/lib",
    "v1.5.0",
    requires=((HELPER.path, HELPER.version), (ONLY_TESTED.path, ONLY_TESTED.version)),
    files={"lib.go": f'package lib\n\nimport "{HELPER.path}"\n\n{HELLO} {{ return helper.Hello() }}\n'},
)
UUID = FakeModule("example.com/uuid", "v1.5.0")
NEWER_UUID = FakeModule("example.com/uuid", "v1.6.0")
MODULES = (OLD_LIB, LIB, HELPER, ONLY_TESTED, UUID, NEWER_UUID)


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy(MODULES) as server:
        yield server


def mod_lines(*modules: FakeModule) -> str:
    return "".join(module.go_sum.splitlines(keepends=True)[1] for module in modules)


def raised(root: Path, work_sum: str = HELPER.go_sum + mod_lines(ONLY_TESTED)) -> None:
    """`a` imports lib and requires the old version. `b` requires the new one, and imports a part without helper."""
    write_project(root / "a", [OLD_LIB], path="example.com/a")
    write_project(root / "b", [LIB], path="example.com/b")
    (root / "b" / "main.go").write_text("package main\n\nfunc main() {}\n")
    (root / "go.work").write_text("go 1.21\n\nuse ./a\nuse ./b\n")
    (root / "go.work.sum").write_text(work_sum)


def downgraded(root: Path) -> None:
    """go.sum keeps the line of a newer version that is not required any more."""
    write_project(root / "svc", [NEWER_UUID, UUID], requires=[UUID], path="example.com/svc")
    (root / "go.work").write_text("go 1.21\n\nuse ./svc\n")


def run(bench: Workbench, proxy: ModuleProxy, *arguments: str) -> Result:
    done = bench.prefetch(*arguments, goproxy=proxy.url)
    assert done.status == 0, done.text
    return done


def run_in_job(bench: Workbench, proxy: ModuleProxy, service: CacheService, *, number: int) -> None:
    offered = service.v2(MAIN.text, run=str(number))
    report = ("--report-file", str(bench.report_file))
    done = bench.quickly("run", "--store", "github", *report, GOPROXY=proxy.url, **offered)
    assert done.status == 0, done.text


def planned(bench: Workbench) -> dict[str, Any]:
    done = prefetch(bench, "plan", "--format", "json")
    assert done.status == 0, done.text
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def names(*modules: FakeModule) -> list[str]:
    return sorted(f"{module.path}@{module.version}" for module in modules)


def zips_asked(proxy: ModuleProxy) -> set[str]:
    return {
        path.partition("/@v/")[0] + "@" + path.rpartition("/")[2] for path in proxy.paths() if path.endswith(".zip")
    }


def test_a_pool_has_what_no_member_lists(bench: Workbench, proxy: ModuleProxy) -> None:
    raised(bench.project)
    run(bench, proxy)
    assert planned(bench)["modules"] == names(LIB, HELPER)
    assert bench.go("build", "-o", os.devnull, "./a", "./b").status == 0
    bench.forget_modcache()
    proxy.clear()
    run(bench, proxy)
    assert bench.outputs["cache-result"] == "exact"
    assert proxy.paths() == []
    assert bench.go("build", "-o", os.devnull, "./a", "./b").status == 0


def test_a_cache_service_has_what_no_member_lists(bench: Workbench, proxy: ModuleProxy) -> None:
    raised(bench.project)
    with CacheService(MAIN) as service:
        run_in_job(bench, proxy, service, number=1)
        bench.forget_modcache()
        proxy.clear()
        run_in_job(bench, proxy, service, number=2)
    assert bench.outputs["cache-result"] == "exact"
    assert proxy.paths() == []
    assert bench.go("build", "-o", os.devnull, "./a", "./b").status == 0


def test_the_key_is_the_same_once_the_graph_is_known(bench: Workbench, proxy: ModuleProxy) -> None:
    raised(bench.project)
    before = planned(bench)
    assert before["undecided"] == names(HELPER)
    run(bench, proxy)
    after = planned(bench)
    assert (after["key"], after["undecided"]) == (before["key"], [])
    assert bench.outputs["cache-key"] == before["key"]


def test_the_required_version_is_planned_after_a_downgrade(bench: Workbench, proxy: ModuleProxy) -> None:
    downgraded(bench.project)
    assert planned(bench)["modules"] == names(UUID)
    run(bench, proxy)
    assert zips_asked(proxy) == {"example.com/uuid@v1.5.0.zip"}
    assert bench.go("build", "-o", os.devnull, "./svc").status == 0


def test_a_filled_folder_has_what_no_member_lists(bench: Workbench, proxy: ModuleProxy) -> None:
    raised(bench.project)
    folder = bench.folder / "filled"
    for _ in range(2):
        done = prefetch(bench, "fill", str(folder), GOPROXY=proxy.url)
        assert done.status == 0, done.text
        assert {name for name in bench.module_files(folder) if name.endswith(".zip")} == {
            f"{module.path}/@v/{module.version}.zip" for module in (LIB, HELPER)
        }
    built = bench.go("build", "-o", os.devnull, "./a", "./b", GOPROXY=f"file://{folder},off")
    assert built.status == 0, built.text


def test_a_filled_folder_loses_what_the_graph_drops(bench: Workbench, proxy: ModuleProxy) -> None:
    """An old member may need every module of go.sum until the graph is known."""
    raised(bench.project)
    extra = (bench.project / "b" / "go.sum").read_text() + NEWER_UUID.go_sum
    (bench.project / "b" / "go.sum").write_text(extra)
    gomod = bench.project / "b" / "go.mod"
    gomod.write_text(gomod.read_text().replace("go 1.21", "go 1.16"))
    folder = bench.folder / "filled"
    done = prefetch(bench, "fill", str(folder), GOPROXY=proxy.url)
    assert done.status == 0, done.text
    assert not [name for name in bench.module_files(folder) if NEWER_UUID.path in name and name.endswith(".zip")]


def test_an_image_folder_has_what_no_member_lists(bench: Workbench, proxy: ModuleProxy) -> None:
    raised(bench.project)
    run(bench, proxy)  # fills the module cache, from which the folder is filled
    proxy.clear()
    folder = bench.folder / "gomod"
    done = prefetch(bench, "docker", "--output", str(folder), GOPROXY=proxy.url)
    assert done.status == 0, done.text
    assert proxy.paths() == []
    bench.forget_modcache()
    built = bench.go("build", "-o", os.devnull, "./a", "./b", GOPROXY=f"file://{folder},off")
    assert built.status == 0, built.text


def test_a_graph_without_sums_is_no_exact_hit(bench: Workbench, proxy: ModuleProxy) -> None:
    """go.work.sum is missing, so the go.mod of `helper` may not be read."""
    raised(bench.project, work_sum="")
    for expected in ("miss", "partial"):
        done = run(bench, proxy)
        assert bench.outputs["cache-result"] == expected
        gap = done.notice("plan-incomplete")
        assert gap.case == "mods"
        assert {module.path for module in facts(gap)["modules"]} == {HELPER.path, ONLY_TESTED.path}
        bench.forget_modcache()


@pytest.mark.parametrize("command", [("fill",), ("docker", "--output")])
def test_an_offline_build_is_warned_of_what_it_may_lack(
    bench: Workbench, proxy: ModuleProxy, command: tuple[str, ...]
) -> None:
    raised(bench.project, work_sum="")
    done = prefetch(bench, *command, str(bench.folder / "filled"), GOPROXY=proxy.url)
    assert done.status == 0, done.text
    assert done.notice("plan-incomplete").case == "mods"


def test_versions_that_members_do_not_agree_on_are_shown(bench: Workbench) -> None:
    raised(bench.project)
    (one,) = planned(bench)["disagreements"]
    assert one == {
        "module": LIB.path,
        "required": [
            {"by": "example.com/a", "version": OLD_LIB.version},
            {"by": "example.com/b", "version": LIB.version},
        ],
        "selected": LIB.version,
    }
    assert f"Go takes {LIB.version}" in prefetch(bench, "plan").stdout


def test_versions_of_two_modules_in_scope_are_shown(bench: Workbench) -> None:
    write_project(bench.project / "a", [UUID], path="example.com/a")
    write_project(bench.project / "b", [NEWER_UUID], path="example.com/b")
    done = prefetch(bench, "plan", "--format", "json", "--working-directory", "*")
    (one,) = json.loads(done.stdout)["disagreements"]
    assert (one["module"], one["selected"]) == (UUID.path, "")
    assert [required["version"] for required in one["required"]] == [UUID.version, NEWER_UUID.version]


def test_an_entry_without_what_the_graph_adds_is_replaced(bench: Workbench, proxy: ModuleProxy) -> None:
    """The zips that the graph adds are not part of the key, so an entry for the same key may lack them."""
    raised(bench.project, work_sum=mod_lines(HELPER, ONLY_TESTED))
    outputs = []
    with CacheService(MAIN) as service:
        for number in range(4):
            bench.forget_modcache()
            run_in_job(bench, proxy, service, number=number)
            outputs.append(bench.outputs)
            (bench.project / "go.work.sum").write_text(HELPER.go_sum + mod_lines(ONLY_TESTED))
    assert len({one["cache-key"] for one in outputs}) == 1
    assert [one["cache-result"] for one in outputs] == ["miss", "partial", "exact", "exact"]
