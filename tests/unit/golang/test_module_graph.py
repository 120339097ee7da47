"""Minimal version selection; tests/contract/test_module_graph_against_go.py compares with Go itself."""

from __future__ import annotations

from go_prefetch.golang.module import ModuleVersion
from go_prefetch.golang.module_graph import ModuleGraph, Requirements, read_graph

MAIN = "example.com/main"


def graph(
    files: dict[str, tuple[str, ...]], *, unpruned: tuple[str, ...] = (), mains: tuple[str, ...] = (MAIN,)
) -> ModuleGraph:
    """The graph of go.mod files, each named `path@version` with its requirements in the same form."""

    def read(module: ModuleVersion) -> Requirements | None:
        name = f"{module}" if module.version else module.path
        if name not in files:
            return None
        return Requirements(tuple(map(version, files[name])), is_pruned=name not in unpruned)

    return read_graph((ModuleVersion(main, "") for main in mains), read)


def version(text: str) -> ModuleVersion:
    return ModuleVersion(*text.split("@"))


def selected(found: ModuleGraph) -> list[str]:
    return sorted(str(module) for module in found.selected.values() if module.version)


def test_selected_is_the_highest_version_that_is_required() -> None:
    found = graph({MAIN: ("a@v1.0.0", "b@v1.0.0"), "a@v1.0.0": ("b@v1.2.0",), "b@v1.0.0": (), "b@v1.2.0": ()})
    assert selected(found) == ["a@v1.0.0", "b@v1.2.0"]
    assert not found.unread


def test_selection_compares_versions_not_text() -> None:
    found = graph({MAIN: ("a@v1.9.0", "b@v1.0.0"), "a@v1.9.0": (), "b@v1.0.0": ("a@v1.10.0",), "a@v1.10.0": ()})
    assert selected(found) == ["a@v1.10.0", "b@v1.0.0"]


def test_graph_below_a_pruned_dependency_is_not_read() -> None:
    """The dependency of a pruned dependency counts, and what that one requires does not."""
    found = graph({MAIN: ("a@v1.0.0",), "a@v1.0.0": ("b@v1.0.0",), "b@v1.0.0": ("c@v1.0.0",)})
    assert selected(found) == ["a@v1.0.0", "b@v1.0.0"]


def test_graph_below_an_unpruned_dependency_is_read_to_its_end() -> None:
    files: dict[str, tuple[str, ...]] = {
        MAIN: ("a@v1.0.0",), "a@v1.0.0": ("b@v1.0.0",), "b@v1.0.0": ("c@v1.0.0",), "c@v1.0.0": ("d@v1.0.0",),
        "d@v1.0.0": ("a@v0.1.0",), "a@v0.1.0": (),
    }  # fmt: skip
    found = graph(files, unpruned=("a@v1.0.0",))
    assert selected(found) == ["a@v1.0.0", "b@v1.0.0", "c@v1.0.0", "d@v1.0.0"]


def test_graph_below_a_raised_version_is_read() -> None:
    """A member lists what a lower version imports, so the requirements of the higher one count."""
    files: dict[str, tuple[str, ...]] = {
        "m1": ("a@v1.0.0",), "m2": ("a@v1.1.0", "b@v1.0.0"), "a@v1.0.0": (), "a@v1.1.0": ("c@v1.0.0",),
        "b@v1.0.0": (), "c@v1.0.0": (),
    }  # fmt: skip
    found = graph(files, mains=("m1", "m2"))
    assert found.providers == {"a", "b", "c"}


def test_what_only_a_dependency_requires_provides_nothing() -> None:
    found = graph({MAIN: ("a@v1.0.0",), "a@v1.0.0": ("test.only@v1.0.0",)})
    assert selected(found) == ["a@v1.0.0", "test.only@v1.0.0"]
    assert found.providers == {"a"}


def test_an_unpruned_member_does_not_list_all_providers() -> None:
    found = graph({MAIN: ("a@v1.0.0",), "a@v1.0.0": ("b@v1.0.0",), "b@v1.0.0": ("c@v1.0.0",)}, unpruned=(MAIN,))
    assert found.providers == {"a", "b"}


def test_a_main_module_is_selected_over_any_version() -> None:
    files: dict[str, tuple[str, ...]] = {"m1": ("m2@v9.0.0",), "m2": (), "m2@v9.0.0": ("a@v1.0.0",)}
    found = graph(files, mains=("m1", "m2"))
    assert found.selected["m2"] == ModuleVersion("m2", "")
    assert selected(found) == ["a@v1.0.0"]


def test_a_go_mod_that_is_not_at_hand_is_unread() -> None:
    found = graph({MAIN: ("a@v1.0.0", "b@v1.0.0"), "a@v1.0.0": ()})
    assert found.unread == {ModuleVersion("b", "v1.0.0")}
    assert selected(found) == ["a@v1.0.0", "b@v1.0.0"]


def test_circles_of_requirements_end() -> None:
    files: dict[str, tuple[str, ...]] = {MAIN: ("a@v1.0.0",), "a@v1.0.0": ("b@v1.0.0",), "b@v1.0.0": ("a@v1.0.0",)}
    assert selected(graph(files, unpruned=(MAIN, "a@v1.0.0", "b@v1.0.0"))) == ["a@v1.0.0", "b@v1.0.0"]


def test_a_module_above_or_below_a_provider_is_needed() -> None:
    """Go looks for a package of `a.com/x/v2` in `a.com/x` too, and for one of `a.com/x/v2/y` there."""
    files: dict[str, tuple[str, ...]] = {
        MAIN: ("a.com/x/v2@v2.0.0",),
        "a.com/x/v2@v2.0.0": ("a.com/x@v1.0.0", "a.com/x/v2/y@v2.0.0", "a.com/xy@v1.0.0"),
    }
    found = graph(files)
    assert found.providers == {"a.com/x/v2"}
    assert sorted(map(str, found.needed)) == ["a.com/x/v2/y@v2.0.0", "a.com/x/v2@v2.0.0", "a.com/x@v1.0.0"]
