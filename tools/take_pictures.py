"""Take the pictures of the documents: two real runs of examples/service, and the job summary of the second one.

    python tools/take_pictures.py [FOLDER]

The modules come from the tests' proxy, which answers after 50 ms and sends 12.5 MB/s. The first run fills a pool. The
second one has an empty module cache, and finds everything in the pool. Its summary is drawn by tools/draw_summary.py in
light, in dark, and as wide as a phone. The default folder is docs. It needs what that tool needs, and the network once.
Take them on a quiet machine: the times in them are those of these runs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from realproject import fetch_folder  # noqa: E402 - the path is set above
from rig import environment, scratch_folder, slow_proxy  # noqa: E402 - the same

CACHE = Path("~/.cache/go-prefetch-bench").expanduser()  # as that of the benches
PICTURES = {
    "summary.png": ("--height", "765", "--open"),
    "summary-dark.png": ("--height", "765", "--open", "--dark"),
    "summary-phone.png": ("--width", "390"),
    "summary-phone-dark.png": ("--width", "390", "--dark"),
}


def summary_of(run: Path, environ: dict[str, str]) -> str:
    """Return the job summary of one run with an empty module cache."""
    file = run / "summary.md"
    runner = {
        "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(file), "GITHUB_OUTPUT": str(run / "outputs"),
        "RUNNER_TEMP": str(run), "CI": "true",
        "GOMODCACHE": str(run / "modcache"), "GOFLAGS": "-modcacherw", "GITHUB_WORKSPACE": str(run.parent),
    }  # fmt: skip
    run.mkdir()
    for written in (file, run / "outputs"):
        written.touch()
    command = [sys.executable, "-m", "go_prefetch", "run", "-C", str(run.parent / "project"), "--store"]
    pool = run.parent / "pool"
    subprocess.run([*command, f"dir:{pool}"], env={**environ, **runner}, check=True, stdout=subprocess.DEVNULL)
    return file.read_text(encoding="utf-8").replace(str(pool), "/var/cache/go-prefetch").replace(str(run.parent), "")


def main() -> None:
    """Run twice, and draw what the second run wrote."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs")
    fetched = fetch_folder(ROOT / "examples" / "service", CACHE)
    where = scratch_folder(fetched.count()[1])  # a RAM disk, if there is room
    with tempfile.TemporaryDirectory(dir=where) as temporary, slow_proxy(fetched.proxy, "50ms", 12.5, 12.5) as proxy:
        folder = Path(temporary).resolve()
        (folder / "project").symlink_to(fetched.folder)
        environ = environment(proxy.url, proxy.certificate)
        summary_of(folder / "cold", environ)
        text = summary_of(folder / "warm", environ)
        (folder / "summary.md").write_text(text, encoding="utf-8")
        for name, options in PICTURES.items():
            draw = [sys.executable, str(ROOT / "tools" / "draw_summary.py"), str(folder / "summary.md")]
            subprocess.run([*draw, str(target / name), *options], check=True)


if __name__ == "__main__":
    main()
