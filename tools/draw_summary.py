"""Draw a job summary as GitHub shows it: Markdown to a PNG, for docs/summary.png and for a look at a change.

    python tools/draw_summary.py SUMMARY.md PICTURE.png [--width 860] [--height 0] [--dark] [--open]

It needs Chromium, and npm for Mermaid. cmark-gfm renders the Markdown, as on GitHub. `--open` unfolds everything.
Without a height the picture is as high as the page.
"""

from __future__ import annotations

import argparse
import html
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.made_once import NPM_CI, built_once  # noqa: E402 - the path is set above

CHROMIUM = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=20000",
]  # fmt: skip
# The colors and sizes of GitHub's own style sheet (github-markdown-css), light and dark.
COLORS = {
    "light": ("#1f2328", "#ffffff", "#d1d9e0", "#f6f8fa", "#818b981f", "#0969da", "default"),
    "dark": ("#f0f6fc", "#0d1117", "#3d444d", "#151b23", "#656c7633", "#4493f8", "dark"),
}
_MERMAID = re.compile(r'<pre><code class="language-mermaid">(.*?)</code></pre>', re.DOTALL)
PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>
* {{ box-sizing: border-box }}
body {{ margin: 0; padding: 16px; font: 16px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif;
       color: {text}; background: {ground}; overflow-wrap: break-word }}
main {{ border: 1px solid {line}; border-radius: 6px; padding: 16px }}
h4 {{ margin: 0 0 8px }} p, ul, table, pre, details {{ margin: 0 0 16px }} ul {{ padding-left: 2em }}
table {{ display: block; width: max-content; max-width: 100%; overflow: auto; border-collapse: collapse }}
th, td {{ padding: 6px 13px; border: 1px solid {line} }} tr:nth-child(2n) {{ background: {soft} }}
code {{ font: 85% ui-monospace, "Liberation Mono", monospace; background: {code}; padding: .2em .4em;
       border-radius: 6px; white-space: break-spaces }}
pre {{ background: {soft}; padding: 16px; border-radius: 6px; overflow: auto; line-height: 1.45 }}
pre code {{ background: none; padding: 0; white-space: pre }} pre.mermaid {{ text-align: center }}
a {{ color: {link} }} summary {{ cursor: pointer }}
</style><main><h4>test summary</h4>{body}</main>
<script src="{mermaid}"></script><script>mermaid.initialize({{startOnLoad: true, theme: "{theme}"}})</script>
"""


def body(markdown: str, *, is_open: bool) -> str:
    """Return the HTML of a summary, with its diagrams where Mermaid looks for them."""
    extensions = ["table", "autolink", "strikethrough", "tasklist"]
    drawn = cmarkgfm.markdown_to_html_with_extensions(markdown, options=Options.CMARK_OPT_UNSAFE, extensions=extensions)
    drawn = _MERMAID.sub(r'<pre class="mermaid">\1</pre>', drawn)
    return drawn.replace("<details>", "<details open>") if is_open else drawn


def page(markdown: str, *, is_dark: bool, is_open: bool) -> str:
    """Return the page as HTML. Mermaid is loaded from its npm package."""
    text, ground, line, soft, code, link, theme = COLORS["dark" if is_dark else "light"]
    script = built_once(ROOT / "tests" / "programs" / "mermaid", *NPM_CI) / "node_modules/mermaid/dist/mermaid.min.js"
    return PAGE.format(
        text=text, ground=ground, line=line, soft=soft, code=code, link=link, theme=theme,
        body=body(markdown, is_open=is_open),
        mermaid=html.escape(script.as_uri()),
    )  # fmt: skip


def height_of(url: str, folder: str, width: int) -> int:
    """Return the height of a page at this width, in pixels."""
    probe = Path(folder, "probe.html")
    probe.write_text(
        f"<iframe id=f src='{url}' width={width} height=100 style='border:0'></iframe><script>addEventListener('load', "
        "() => setTimeout(() => { document.title = f.contentDocument.documentElement.scrollHeight }, 3000))</script>",
        encoding="utf-8",
    )
    flags = ["--allow-file-access-from-files", "--dump-dom", f"--user-data-dir={folder}/profile"]
    shown = subprocess.run([*CHROMIUM, *flags, probe.as_uri()], capture_output=True, text=True, check=True).stdout
    found = re.search(r"<title>(\d+)</title>", shown)
    return int(found[1]) if found else 1000


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("summary", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--width", type=int, default=860)
    parser.add_argument("--height", type=int, default=0)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--open", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "summary.html")
        place.write_text(page(given.summary.read_text("utf-8"), is_dark=given.dark, is_open=given.open), "utf-8")
        height = given.height or height_of(place.as_uri(), folder, given.width)
        flags = [f"--window-size={given.width},{height}", f"--screenshot={given.picture.resolve()}"]
        subprocess.run(
            [*CHROMIUM, *flags, f"--user-data-dir={folder}/profile", place.as_uri()], capture_output=True, check=True
        )


if __name__ == "__main__":
    main()
