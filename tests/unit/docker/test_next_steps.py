"""The lines after `docker --output`: short, and the same instructions that are printed, documented and built."""

from __future__ import annotations

import re

import pytest

from go_prefetch.docker.next_steps import next_steps
from tests.support.documented import dockerfiles


def instructions(text: str) -> set[str]:
    lines = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return {line.strip() for line in lines if line.strip().startswith(("ARG GO", "RUN "))}


@pytest.mark.parametrize("lacks_private", [False, True])
def test_next_steps_are_those_of_the_documents(lacks_private: bool) -> None:
    """A system test builds the Dockerfiles of the documents."""
    (documented,) = (text for text in dockerfiles() if ("id=netrc" in text) is lacks_private)
    assert instructions(next_steps(".gomod", listed=False, lacks_private=lacks_private, exposed=False)) <= instructions(
        documented
    )


@pytest.mark.parametrize("lacks_private", [False, True])
@pytest.mark.parametrize("listed", [False, True])
def test_next_steps_are_short_lines(listed: bool, lacks_private: bool) -> None:
    text = next_steps("my mods", listed=listed, lacks_private=lacks_private, exposed=listed)
    assert max(map(len, text.splitlines())) <= 120
    assert "docker build --build-context gomod='my mods' " in text
    assert ("< /gomod/modules.txt" in text, "The RUN of the build needs" in text) == (listed, listed)
    assert ("go-prefetch docker --dockerignore" in text) is listed
    assert ("--secret id=netrc,src=$HOME/.netrc ." in text, "go-prefetch run" in text) == (lacks_private, lacks_private)
