"""Say what a release contains of others: their licences as a text, and a bill of materials in CycloneDX's format.

Both come from the wheels that the release is made of. The same wheels give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

from locked_wheels import WheelError, recorded

# Licences that a release may contain, by SPDX's name. All ask for their text. MPL-2.0 asks for the source too, and a
# release has nothing but source.
_ACCEPTED = ("Apache-2.0", "BSD-3-Clause", "MIT", "MPL-2.0")
_LICENCE_FILE = re.compile(r"\.dist-info/(?:licenses/)?(?:LICEN[CS]E|NOTICE|COPYING)[^/]*$", re.IGNORECASE)
_HOME_PAGE = re.compile(r"(?:source|code|homepage|repository), (https://\S+)", re.IGNORECASE)
_RULE = "=" * 80


@dataclass(frozen=True)
class Package:
    """One wheel, as its metadata describe it."""

    name: str
    version: str
    licence: str
    source: str
    requires: tuple[str, ...]  # other packages, by name
    texts: tuple[str, ...]  # of the licence and the notices
    sha256: str

    @property
    def purl(self) -> str:
        """Its package URL: https://github.com/package-url/purl-spec."""
        return f"pkg:pypi/{self.name}@{self.version}"


def describe(wheel: Path) -> Package:
    """Read the metadata of a wheel. Raises WheelError if its licence is not accepted, or lacks its text."""
    files = dict(recorded(wheel))
    (metadata,) = (content for name, content in files.items() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
    fields = Parser().parsestr(metadata.decode(), headersonly=True)
    licence = fields["License-Expression"] or fields["License"] or ""
    if licence not in _ACCEPTED:
        raise WheelError(f"{wheel.name}: a release may not contain the licence {licence!r}, see tools/third_party.py")
    texts = tuple(content.decode() for name, content in sorted(files.items()) if _LICENCE_FILE.search(name))
    if not any(text.strip() for text in texts):
        raise WheelError(f"{wheel.name}: the text of its licence is missing")
    return Package(
        name=_normalized(fields["Name"]),
        version=fields["Version"],
        licence=licence,
        source=_source(fields),
        requires=tuple(_requirements(fields)),
        texts=texts,
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
    )


def _normalized(name: str) -> str:
    """Return a package's name as an index spells it: https://packaging.python.org/specifications/name-normalization."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _source(fields: Message) -> str:
    urls = [match[1] for url in fields.get_all("Project-URL", []) if (match := _HOME_PAGE.fullmatch(url))]
    return str(urls[0] if urls else fields["Home-page"] or f"https://pypi.org/project/{_normalized(fields['Name'])}/")


def _requirements(fields: Message) -> Iterator[str]:
    """Yield the packages that this one needs, without those of its extras."""
    for requirement in fields.get_all("Requires-Dist", []):
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        if match and "extra ==" not in requirement:
            yield _normalized(match[0])


def licences(packages: Sequence[Package]) -> str:
    """Return the licences of all packages as one text."""
    head = (
        "go-prefetch is released together with the packages below, unchanged.\nEach has the licence that follows it.\n"
    )
    blocks = (
        f"{_RULE}\n{package.name} {package.version}\n{package.licence}, {package.source}\n{_RULE}\n\n"
        + "\n\n".join(text.strip() for text in package.texts)
        for package in packages
    )
    return head + "".join(f"\n{block}\n" for block in blocks)


def bill_of_materials(packages: Sequence[Package], version: str, project_url: str) -> str:
    """Return go-prefetch and these packages as CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json."""
    own = f"pkg:pypi/go-prefetch@{version}"
    names = {package.name: package.purl for package in packages}
    depends = {own: sorted(names.values())}
    depends |= {package.purl: sorted(names[name] for name in package.requires if name in names) for package in packages}
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "go-prefetch",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": own,
                "externalReferences": [{"type": "vcs", "url": project_url}],
            }
        },
        "components": [_component(package) for package in packages],
        "dependencies": [{"ref": ref, "dependsOn": others} for ref, others in depends.items()],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document))  # of the content, so that a second build has it too
    return json.dumps({"serialNumber": f"urn:uuid:{serial}", **document}, indent=2) + "\n"


def _component(package: Package) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "scope": "required",
        "hashes": [{"alg": "SHA-256", "content": package.sha256}],
        "licenses": [{"license": {"id": package.licence}}],
        "purl": package.purl,
        "externalReferences": [{"type": "website", "url": package.source}],
    }
