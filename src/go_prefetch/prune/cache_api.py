"""Entries of GitHub's cache service by its REST API. https://docs.github.com/rest/actions/cache"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from go_prefetch.base import untrusted_json
from go_prefetch.forge.api import RestApi
from go_prefetch.model.cache_key import PREFIX
from go_prefetch.prune.entries import Entry
from go_prefetch.stores.cache_service.keys import parse_key

_PULL = re.compile(r"refs/pull/(\d+)/(?:merge|head)")


class CacheEntries:
    """The entries of one repository (`owner/name`) that are ours."""

    def __init__(self, api: RestApi, name: str) -> None:
        self._api = api
        self._path = f"/repos/{quote(name, safe='/')}"

    def default_ref(self) -> str:
        """The scope that every other one reads. A renamed repository is asked by its new name from here on."""
        values = self._api.get(self._path).value
        name = untrusted_json.text(values, "full_name")
        self._path = f"/repos/{quote(name, safe='/')}" if name else self._path
        return f"refs/heads/{untrusted_json.text(values, 'default_branch')}"

    def entries(self) -> Iterator[Entry]:
        """Those whose keys are ours."""
        for page in self._api.pages(f"{self._path}/actions/caches", {"key": f"{PREFIX}-", "sort": "created_at"}):
            for values in untrusted_json.objects(page.get("actions_caches") if isinstance(page, dict) else None):
                entry = parse_entry(values)
                if entry:
                    yield entry

    def gone_scopes(self, refs: Iterable[str]) -> dict[str, str]:
        """Scopes that no run can have any more, with the reason."""
        return {ref: reason for ref in sorted(set(refs)) if (reason := self._gone(ref))}

    def delete(self, entry: Entry) -> bool:
        """Delete one; false if somebody did before us."""
        path = f"{self._path}/actions/caches/{entry.id}"
        answer = self._api.call(path, method="DELETE")
        if answer.status == 404:
            return False
        self._api.checked(path, answer)
        return True

    def _gone(self, ref: str) -> str:
        """Why this scope is no more; the empty string if it is, or if that cannot be told."""
        pull = _PULL.fullmatch(ref)
        if pull:
            values = self._found(f"{self._path}/pulls/{pull[1]}")
            return f"pull request {pull[1]} is closed" if untrusted_json.text(values, "state") == "closed" else ""
        branch = ref.removeprefix("refs/heads/")
        if branch == ref or self._found(f"{self._path}/git/ref/heads/{quote(branch, safe='/')}") is not None:
            return ""
        return f"branch {branch} is gone"

    def _found(self, path: str) -> Any:
        answer = self._api.call(path)
        return None if answer.status == 404 else self._api.checked(path, answer).value


def parse_entry(values: object) -> Entry | None:
    """An entry of ours; None if it is somebody else's, or makes no sense."""
    name, created = parse_key(untrusted_json.text(values, "key")), untrusted_json.moment(values, "created_at")
    if (
        name is None
        or created is None
        or not untrusted_json.integer(values, "id")
        or not untrusted_json.text(values, "ref")
    ):
        return None
    return Entry(
        id=untrusted_json.integer(values, "id"),
        name=name,
        ref=untrusted_json.text(values, "ref"),
        version=untrusted_json.text(values, "version"),
        bytes=untrusted_json.integer(values, "size_in_bytes"),
        created=created,
        read=untrusted_json.moment(values, "last_accessed_at") or created,
    )
