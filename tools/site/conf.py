"""Sphinx makes the documentation site from the Markdown files that GitHub shows: `nox -s site`.

The source folder is the repository, so that a link means the same on GitHub and on the site. No page contains anything
that only Sphinx understands. Navigation, and the addresses of files that are not pages, are added here.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "src"))

from go_prefetch import __version__  # noqa: E402 - it may not be installed

REPOSITORY = "https://github.com/org/go-prefetch"
# A caption, and the pages below it.
NAVIGATION = {
    "Start": ["docs/quick-start", "docs/github", "docs/gitlab", "docs/docker", "docs/recipes", "docs/migrate"],
    "Understand": [
        "docs/how-it-works", "docs/comparison", "docs/benchmarks", "docs/time-saved", "docs/faults", "docs/security",
        "docs/glossary",
    ],
    "Use": [
        "docs/build-cache", "docs/toolchain", "docs/fleet", "docs/bazel", "docs/network", "docs/git", "docs/doctor",
        "docs/report",
    ],
    "Look up": ["docs/README", "docs/troubleshooting", "docs/errors", "docs/record", "CHANGELOG"],
    "Develop": [
        "CONTRIBUTING", "ARCHITECTURE", "tests/README", "bench/README", "docs/releasing", "SECURITY",
    ],
}  # fmt: skip
DECISIONS = "docs/adr/*"  # unfold below the architecture

project = "go-prefetch"
version = release = __version__
root_doc = "README"
include_patterns = ["*.md", "docs/**.md", "tests/README.md", "bench/README.md"]
exclude_patterns = [".*", "build", "dist", "**/node_modules"]
extensions = ["myst_parser", "sphinx.ext.githubpages"]
myst_heading_anchors = 4  # named as GitHub names them

html_theme = "furo"
html_title = f"go-prefetch {release}"
html_baseurl = "https://org.github.io/go-prefetch/"
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_additional_pages = {"index": "index.html"}  # leads to README.html
templates_path = ["templates"]
html_theme_options = {"source_repository": REPOSITORY, "source_branch": "main", "source_directory": ""}

# `nox -s site -- linkcheck`
linkcheck_ignore = [rf"{REPOSITORY}.*", rf"{html_baseurl}.*"]  # this project: the strict build checks its files
linkcheck_anchors_ignore_for_url = [r"https://github\.com/.*"]  # a script adds them
linkcheck_timeout = 20


def add_navigation(_: Sphinx, page: str, source: list[str]) -> None:
    """Append the navigation to the pages that it hangs on, where it is not shown."""
    below = NAVIGATION if page == root_doc else {"Decisions": [DECISIONS]} if page == "ARCHITECTURE" else {}
    for caption, pages in below.items():
        listed = "\n".join(pages)
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{listed}\n```\n"


def link_to_repository(app: Sphinx, tree: nodes.document) -> None:
    """Let links to files and folders that are no pages lead to GitHub. A link that leads nowhere stays an error."""
    folder = Path(app.env.doc2path(app.env.docname)).parent
    for node in [*tree.findall(addnodes.download_reference), *tree.findall(addnodes.pending_xref)]:
        place = (folder / str(node["reftarget"])).resolve()
        if node["reftarget"] and place.exists() and place.is_relative_to(ROOT):
            kind = "tree" if place.is_dir() else "blob"
            address = f"{REPOSITORY}/{kind}/main/{place.relative_to(ROOT).as_posix()}"
            node.replace_self(nodes.reference("", "", *node.children, refuri=address))


def copy_pictures(app: Sphinx, _: Exception | None) -> None:
    """Copy pictures to the same place on the site. Sphinx does not see those that a page names in HTML."""
    for picture in [*ROOT.glob("docs/**/*.png"), *ROOT.glob("docs/**/*.svg")]:
        copy = Path(app.outdir) / picture.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, copy)


def setup(app: Sphinx) -> None:
    """Connect the functions above with Sphinx."""
    app.connect("source-read", add_navigation)
    app.connect("doctree-read", link_to_repository, priority=1)  # before Sphinx copies what a page links to
    app.connect("build-finished", copy_pictures)
