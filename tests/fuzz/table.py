"""Every parser of foreign bytes, and the fuzz target that covers it.

A target names its modules itself (`@target`). Here are the modules that look like a parser, and have no target.
"""

from __future__ import annotations

from tests.fuzz import archives, forges, go_formats, repository_files, web_answers
from tests.fuzz.target import TARGETS

MODULES = (archives, forges, go_formats, repository_files, web_answers)  # importing them fills TARGETS
COVERED = {parser: name for name, each in TARGETS.items() for parser in each.parsers}

__all__ = ["COVERED", "MODULES", "NOT_FUZZED", "TARGETS"]

# Why a module has no target of its own.
NOT_FUZZED = {
    "cli.arguments": "reads the command line, which is the user's own",
    "cli.commands.report": "reads a date of the command line",
    "doctor.candidates": "reads a flag, with golang.goproxy",
    "docker.image_folder": "compares a folder with what is to be in it by CRC-32, and reads no format",
    "forge.github": "takes fields of PyGithub's objects with base.untrusted_json",
    "platforms.gitlab_note": "takes two fields of a list with base.untrusted_json",
    "verification.stub_modcache": "writes a zip, and reads none",
}
