"""Look for inputs that break a parser, guided by the code that they reach (atheris, on Linux with Python 3.11 to 3.13).

python tools/fuzz.py                              every target of tests/fuzz, 60 seconds each
python tools/fuzz.py --seconds 600 TARGET...      these
python tools/fuzz.py --seconds 0 TARGET FILE      one input again, with its traceback

Inputs that reach new code stay in .fuzz/TARGET, for the next time. One that breaks a target lies in .fuzz, too. Mend
the parser, and put the input into tests/fuzz/seeds/TARGET.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOUND = ROOT / ".fuzz"
_LARGEST_INPUT = 1 << 16  # bytes
_SECONDS_OF_INPUT = 20  # after which a target counts as hanging
_MEGABYTES = 1024  # of memory, with the fuzzer's own


def main() -> int:
    """Run each target in a process of its own; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2, help="targets at the same time")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    if given.inside:
        _fuzz(given.targets[0], given.targets[1:])
    if given.seconds == 0:
        from tests.fuzz.table import TARGETS  # noqa: PLC0415 - instrumented otherwise

        TARGETS[given.targets[0]].run(Path(given.targets[1]).read_bytes())
        return 0
    names = given.targets or sorted(path.name for path in (ROOT / "tests" / "fuzz" / "seeds").iterdir())
    with ThreadPoolExecutor(given.jobs) as pool:
        holds = list(pool.map(partial(_run, given.seconds), names))
    broken = [name for name, is_good in zip(names, holds, strict=True) if not is_good]
    print(f"{len(names) - len(broken)} of {len(names)} targets hold.", *broken)
    return 1 if broken else 0


def _run(seconds: int, name: str) -> bool:
    """Fuzz one target. Return whether it holds, and print what broke it."""
    corpus = FOUND / name
    corpus.mkdir(parents=True, exist_ok=True)
    argv = [
        sys.executable, __file__, "--inside", "--", name,
        f"-max_total_time={seconds}", f"-max_len={_LARGEST_INPUT}", f"-timeout={_SECONDS_OF_INPUT}",
        f"-rss_limit_mb={_MEGABYTES}", f"-artifact_prefix={FOUND}/{name}-", "-print_final_stats=1",
        str(corpus), str(ROOT / "tests" / "fuzz" / "seeds" / name),
    ]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    lines = done.stderr.splitlines()
    counts = [line.partition(":")[2].strip() for line in lines if "number_of_executed_units" in line]
    print(f"{name}: {'holds' if done.returncode == 0 else 'BROKEN'}, {''.join(counts) or 'unknown'} inputs", flush=True)
    if done.returncode:
        print("\n".join([*done.stdout.splitlines()[-25:], *lines[-25:]]), flush=True)
    return done.returncode == 0


def _fuzz(name: str, options: list[str]) -> None:
    import atheris  # noqa: PLC0415 - not on every system

    with atheris.instrument_imports(include=["go_prefetch"]):
        from tests.fuzz.table import TARGETS  # noqa: PLC0415

    run = TARGETS[name].run
    atheris.Setup([name, *options], lambda data: run(bytes(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
