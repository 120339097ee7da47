"""Fail unless action.yml, the GitLab template, README.md and `--help` agree with the input table.

python tools/check_inputs.py            compare
python tools/check_inputs.py --write    write README.md's tables
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from go_prefetch.cli.subcommands import SUBCOMMANDS  # noqa: E402
from go_prefetch.config.inputs import GITLAB, JOB, SHIM_INPUTS, TABLE, Input  # noqa: E402 - it may not be installed

_TABLE_IN_README = re.compile(r"(<!-- inputs -->\n).*?(<!-- /inputs -->)", re.DOTALL)


def readme_table() -> str:
    """Return the README's table of inputs, made from the input table."""
    lines = ["| input | default | meaning |", "|---|---|---|"]
    lines += [f"| `{row.name}` | {_default(row)} | {_cell(row.meaning)} |" for row in TABLE if row.in_action]
    lines += [f"| `{name}` | | {_cell(meaning)} |" for name, meaning in SHIM_INPUTS.items()]
    lines += ["", "Flags and environment variables only:", "", "| flag | default | meaning |", "|---|---|---|"]
    lines += [f"| `{row.flag}` | {_default(row)} | {_cell(row.meaning)} |" for row in TABLE if not row.in_action]
    return "\n".join(lines) + "\n"


def _default(row: Input) -> str:
    return row.default_shown or f"`{row.default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def action_inputs() -> list[str]:
    """Names under `inputs:` of action.yml, in order."""
    block = re.search(r"^inputs:\n(.*?)^\S", (ROOT / "action.yml").read_text(), re.DOTALL | re.MULTILINE)
    return re.findall(r"^  ([a-z-]+):$", block[1] if block else "", re.MULTILINE)


def template_inputs() -> list[str]:
    """Names under `spec: inputs:` of the GitLab template, in order, less those that only GitLab has."""
    text = (ROOT / "templates" / "go-prefetch.yml").read_text()
    names = re.findall(r"^    ([a-z0-9-]+):$", text.partition("\n---\n")[0], re.MULTILINE)
    return [name for name in names if name not in GITLAB_ONLY]


_COMMON_FLAGS = {"--quiet", "--verbose", "--help"}
# About the job, its cache and how go-prefetch reaches it: nothing that Python is told.
GITLAB_ONLY = (
    "job-name", "stage", "image", "key-files", "unprotect", "merge-request-pipelines", "merge-request-note", "archive",
    "archive-sha256",
)  # fmt: skip


def problems() -> list[str]:
    """One sentence for each disagreement."""
    found = []
    declared = [row.name for row in TABLE if row.in_action] + list(SHIM_INPUTS)
    in_action = declared + [row.name for row in JOB if row.in_action]
    if action_inputs() != in_action:
        found.append(f"action.yml declares {action_inputs()}, the table has {in_action}")
    if template_inputs() != declared:
        found.append(f"templates/go-prefetch.yml declares {template_inputs()}, the table has {declared}")
    template = (ROOT / "templates" / "go-prefetch.yml").read_text()
    unnamed = [row.variable for row in GITLAB if row.variable not in template]
    found += [f"templates/go-prefetch.yml does not name {variable}" for variable in unnamed]
    readme = (ROOT / "README.md").read_text()
    if readme_table() not in readme:
        found.append("README.md's table of inputs is not the one `tools/check_inputs.py --write` makes")
    for command, subcommand in SUBCOMMANDS.items():
        argv = [sys.executable, "-m", "go_prefetch", command, "--help"]
        said = subprocess.run(argv, capture_output=True, text=True, check=True, env=_environment()).stdout
        listed = set(re.findall(r"^  (?:-[A-Za-z], )?(--[a-z0-9-]+)", said, re.MULTILINE))
        expected = _COMMON_FLAGS | {
            row.opposite if row.is_switch and row.default == "true" else row.flag for row in subcommand.table
        }
        found += [f"`{command} --help` and its table differ in {flag}" for flag in sorted(listed ^ expected)]
    return found


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"}


def main() -> int:
    """Compare, or write."""
    if sys.argv[1:] == ["--write"]:
        path = ROOT / "README.md"
        path.write_text(_TABLE_IN_README.sub(lambda m: m[1] + readme_table() + m[2], path.read_text()))
    found = problems()
    print("\n".join(found) or f"{len(TABLE)} inputs: action.yml, the GitLab template, README.md and --help agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
