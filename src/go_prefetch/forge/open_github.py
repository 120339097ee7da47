"""Open GitHub's API with PyGithub, which is imported when it is needed. The archive of a release is without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from go_prefetch.errors import InputError
from go_prefetch.forge.access import Access
from go_prefetch.forge.api import RestApi

if TYPE_CHECKING:
    from go_prefetch.forge.github import GitHub


def open_github(api: RestApi, access: Access) -> GitHub:
    """Return the repository behind this access. Raises InputError if PyGithub is not installed."""
    try:
        from go_prefetch.forge.github import GitHub  # noqa: PLC0415
    except ImportError:
        raise InputError("github-client-missing") from None
    return GitHub(api, access)
