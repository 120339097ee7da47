"""The page in a real browser: headless Chromium shows all of it, runs nothing, and asks nobody for anything."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from go_prefetch.history.formats.html_page import page
from tests.unit.history.test_formats import made

pytestmark = pytest.mark.system


def chromium(folder: Path, *flags: str) -> str:
    """What Chromium prints; its profile and its screenshots lie in `folder`."""
    program = shutil.which("chromium")
    assert program, "needs Debian's chromium"
    argv = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={folder}/profile", "--enable-logging=stderr", *flags, (folder / "page.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True, cwd=folder)
    assert "Refused to" not in done.stderr  # what its Content-Security-Policy would have stopped
    return done.stdout


def test_a_browser_shows_the_page_and_runs_nothing(tmp_path: Path) -> None:
    """Hostile names are text there, charts are drawn, and the title is still ours."""
    word = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    html = page(made(word))
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    shown = chromium(tmp_path, "--dump-dom")
    assert "<title>go-prefetch: acme/" in shown
    assert not re.search(r"<title>\s*taken", shown)
    assert "<script" not in shown
    assert "<img" not in shown
    assert shown.count("<svg") == 6
    assert shown.count("<h2") == html.count("<h2") > 1


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_is_wider_than_the_window(tmp_path: Path, width: int) -> None:
    """On a phone as on a desk; long names without a blank in them too. A script of the test measures it."""
    html = page(made("x" * 300))
    html = re.sub(r"<meta http-equiv=[^>]*>", "", html)  # so that ours may run
    probe = "<script>document.title = document.documentElement.scrollWidth</script>"
    (tmp_path / "page.html").write_text(html.replace("</body>", f"{probe}</body>"), encoding="utf-8")
    shown = chromium(tmp_path, "--dump-dom", f"--window-size={width},900")
    match = re.search(r"<title>(\d+)</title>", shown)
    assert match
    assert int(match[1]) <= max(width, 500)  # headless Chromium has no narrower window than that


@pytest.mark.parametrize("flags", [(), ("--force-dark-mode",)], ids=["light", "dark"])
def test_the_picture_has_the_ground_of_its_mode(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """A screenshot is made, of the size of the window."""
    (tmp_path / "page.html").write_text(page(made()), encoding="utf-8")
    picture = tmp_path / "page.png"
    chromium(tmp_path, f"--screenshot={picture}", "--window-size=800,600", *flags)
    assert struct.unpack(">II", picture.read_bytes()[16:24]) == (800, 600)
