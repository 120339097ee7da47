"""The documentation site in Chromium, at the width of a phone and of a desktop: every page fits, and search finds."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # it is installed for contributors only
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.nightly, pytest.mark.system]

ROOT = Path(__file__).parents[2]
WIDTHS = (390, 1280)  # a phone, a small desktop
# What is wider than the window, if the page is.
_TOO_WIDE = """
const width = document.documentElement.clientWidth
if (document.documentElement.scrollWidth <= width) return []
return [...document.querySelectorAll("article *")].filter(e => e.getBoundingClientRect().right > width + 1)
    .slice(0, 3).map(e => e.outerHTML.slice(0, 200)).concat("scrolls")
"""
_BROKEN_PICTURES = """
return [...document.images].filter(e => e.src.startsWith(location.origin) && !e.naturalWidth && e.loading !== "lazy")
    .map(e => e.src)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    strict = ("--quiet", "--nitpicky", "--fail-on-warning", "--doctree-dir", str(folder / "doctrees"))
    arguments = (*strict, "--conf-dir", "tools/site", ".", str(folder / "html"))
    subprocess.run([sys.executable, "-m", "sphinx", *arguments], cwd=ROOT, check=True)
    return folder / "html"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where a server on loopback has the site."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module", params=WIDTHS)
def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Chromium at one width. Names of other sites lead nowhere, so a page can only use what the site has."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("headless", "no-sandbox", "disable-gpu", f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    screen = {"width": request.param, "height": 900, "pixelRatio": 1.0}
    options.add_experimental_option("mobileEmulation", {"deviceMetrics": screen})
    chrome = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield chrome
    finally:
        chrome.quit()


def test_site_first_page_leads_to_every_page(site: Path, address: str, browser: Chrome) -> None:
    """index.html leads to the first page. Its navigation has all pages, and each opens under its heading."""
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get(address)
    WebDriverWait(browser, 30).until(lambda it: it.current_url == f"{address}README.html")
    browser.get(f"{address}README.html")  # which waits until it is there
    links = browser.execute_script("return [...document.querySelectorAll('.sidebar-tree a')].map(e => e.href)")
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    pages -= {"index.html", "genindex.html", "search.html", "README.html"}
    assert len(pages) > 40
    assert {link.removeprefix(address) for link in links} == pages
    for link in links:
        browser.get(link)
        title = browser.title.removesuffix(browser.title[browser.title.rfind(" - ") :])
        assert browser.execute_script("return document.querySelector('h1').innerText").startswith(title[:20])


def test_site_pages_fit_the_window(site: Path, address: str, browser: Chrome) -> None:
    """Only tables and code scroll sideways, inside of the page. Pictures of the site are there."""
    too_wide, broken = {}, {}
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        browser.get(address + name)
        too_wide[name] = browser.execute_script(_TOO_WIDE)
        broken[name] = browser.execute_script(_BROKEN_PICTURES)
    assert {name: found for name, found in too_wide.items() if found} == {}
    assert {name: found for name, found in broken.items() if found} == {}


def test_site_search_finds_an_error_by_its_slug(address: str, browser: Chrome) -> None:
    """A reader types into the box, which a phone has behind a button. The search needs no other server."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get(f"{address}README.html")
    box = browser.find_element(By.CSS_SELECTOR, "input.sidebar-search")
    if browser.execute_script("return document.documentElement.clientWidth") < 700:
        browser.find_element(By.CSS_SELECTOR, ".mobile-header label[for=__navigation]").click()
    WebDriverWait(browser, 30).until(lambda _: box.is_displayed())
    box.send_keys("disk-full", Keys.ENTER)
    found = WebDriverWait(browser, 30).until(lambda it: it.find_elements(By.CSS_SELECTOR, "ul.search li a"))
    assert any("docs/errors.html" in str(link.get_attribute("href")) for link in found)


def test_site_search_works_from_files(site: Path, browser: Chrome) -> None:
    """The site can be read from a folder, without a server."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get(f"{(site / 'search.html').as_uri()}?q=quarantine")
    assert WebDriverWait(browser, 30).until(lambda it: it.find_elements(By.CSS_SELECTOR, "ul.search li a"))
