"""What scripts of jobs do, by their words."""

from __future__ import annotations

import pytest

from go_prefetch.workflows.folders import GoFolders
from go_prefetch.workflows.scripts import (
    gives_login,
    go_commands,
    is_module_cache,
    publishes,
    retries_download,
)


@pytest.mark.parametrize(
    ("script", "folders"),
    [
        ("go test ./...", ["."]),
        ("CGO_ENABLED=0 GOOS=linux go build .", ["."]),
        ("make && go vet ./... || exit 1", ["."]),
        ("if go test ./...; then echo; fi", ["."]),
        ("cd api\ngo build ./...\ngo test ./...", ["api", "api"]),
        ("cd api && go test ./...\ncd ../worker && go test ./...", ["api", "worker"]),
        ("(cd api && go test ./...)\ngo vet ./...", ["api", "."]),
        ("pushd 'tools/gen'\ngo generate", ["tools/gen"]),
        ("go -C api/ test ./...", ["api"]),
        ('cd "$dir"\ngo test', [""]),
        ("cd ${{ matrix.module }}\ngo test", ["${{ matrix.module }}"]),
        ("cd /tmp && go test", [""]),
        ("out=$(go list -m)", ["."]),
        ("echo go build", []),
        ("# go build", []),
        ("go version\ngo env GOPATH\ngofmt -l .\ngo fmt ./...", []),
        ("cat <<EOF >x\ngo build\nEOF\ngo vet", ["."]),
        ("cat <<-'END'\n\tgo build\n\tEND\n", []),
        ("npm run go build", []),
        ("", []),
    ],
)
def test_go_commands_have_their_folder(script: str, folders: list[str]) -> None:
    assert [one.folder for one in go_commands(script)] == folders


def test_go_command_with_a_version_reads_no_go_mod() -> None:
    script = "go install example.com/tool@latest\ngo run example.com/x@v1.2.3 --flag\ngo run ./cmd"
    assert [one.has_version for one in go_commands(script)] == [True, True, False]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("for i in 1 2 3; do go mod download && break; done", True),
        ("n=0\nuntil go mod download; do sleep 5; done", True),
        ("while ! timeout 60 go mod download; do :; done", True),
        ("./retry.sh 5 retry go mod download", True),
        ("go mod download\nfor m in a b; do go test ./$m; done", False),
        ("go mod download", False),
        ("for m in a b; do go test ./$m; done", False),
    ],
)
def test_retry_loop_is_found(script: str, expected: bool) -> None:
    assert retries_download(script) is expected


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ("~/go/pkg/mod", True),
        ("~/.cache/go-build\n~/go/pkg/mod\n", True),
        (r"~\go\pkg\mod", True),
        ("${{ env.GOMODCACHE }}", True),
        ("${{ steps.go-cache-paths.outputs.go-mod }}", True),
        ("~/go", True),
        (".go/pkg/mod/", True),
        ("~/.cache/go-build", False),
        ("node_modules", False),
        ("~/go/bin", False),
    ],
)
def test_module_cache_is_known_by_its_path(paths: str, expected: bool) -> None:
    assert is_module_cache(paths) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("goreleaser/goreleaser-action@v6", True),
        ("docker push ghcr.io/acme/app", True),
        ("softprops/action-gh-release@v2", True),
        ("cosign sign", True),
        ("go test ./...", False),
        ("golangci/golangci-lint-action@v9", False),
        ("actions/upload-artifact@v5", False),
        ("docker build .", False),
    ],
)
def test_publishing_is_known_by_its_words(text: str, expected: bool) -> None:
    assert publishes(text) is expected


def test_login_is_known_by_its_words() -> None:
    assert gives_login('git config --global url."https://x@github.com/".insteadOf "https://github.com/"')
    assert gives_login('echo "machine github.com login x" >~/.netrc')
    assert not gives_login("git config user.name bot")


REPOSITORY = GoFolders(frozenset({".", "api", "tools/gen"}), frozenset())
WORKSPACE = GoFolders(frozenset({"api", "worker"}), frozenset({"."}))
WITHOUT_TOP = GoFolders(frozenset({"api"}))


@pytest.mark.parametrize(
    ("folders", "used", "checkout", "expected"),
    [
        (REPOSITORY, ["."], ".", ()),
        (REPOSITORY, ["internal/x"], ".", ()),
        (REPOSITORY, [], ".", ()),
        (REPOSITORY, ["api/cmd"], ".", ("api",)),
        (REPOSITORY, [".", "api", "api"], ".", (".", "api")),
        (REPOSITORY, ["./tools/gen/"], ".", ("tools/gen",)),
        (REPOSITORY, ["../other"], ".", ()),
        (WORKSPACE, ["api", "worker"], ".", ()),
        (WITHOUT_TOP, ["."], ".", ()),
        (WITHOUT_TOP, ["api"], ".", ("api",)),
        (WITHOUT_TOP, ["${{ matrix.x }}"], ".", ("${{ matrix.x }}",)),
        (WITHOUT_TOP, ["${{ matrix.x }}\n!b"], ".", ()),
        (REPOSITORY, [], "src", ("src",)),
        (REPOSITORY, ["src"], "src", ("src",)),
        (REPOSITORY, ["src/api"], "src", ("src/api",)),
    ],
)
def test_used_folders_become_the_working_directory(
    folders: GoFolders, used: list[str], checkout: str, expected: tuple[str, ...]
) -> None:
    assert folders.used(used, checkout) == expected
