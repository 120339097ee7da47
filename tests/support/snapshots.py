"""Expected texts: one file for each in the folder __snapshots__ beside its test.

`pytest --snapshot-update` rewrites those of the tests that it runs.
"""

from __future__ import annotations

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class TextFile(SingleFileSnapshotExtension):
    """Plain text."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


class MarkdownFile(TextFile):
    """A job summary or another document."""

    file_extension = "md"


class JsonFile(TextFile):
    """A report for programs."""

    file_extension = "json"


class YamlFile(TextFile):
    """A pipeline."""

    file_extension = "yml"
