"""Azurite: Azure Blob Storage with signatures, of one account. npm installs it once a user: 361 MB, a minute."""

from __future__ import annotations

import base64
import hmac
import itertools
from email.utils import formatdate
from pathlib import Path

from tests.support.made_once import NPM_CI, built_once
from tests.support.servers.process import ServerProcess, program, request, skip_without_client

_SOURCE = Path(__file__).parents[2] / "programs" / "azurite"
ACCOUNT = "devstoreaccount1"
# The key that every Azurite has.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_API = "2021-08-06"


class Azurite(ServerProcess):
    """Runs inside its `with` block, and keeps everything in memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._numbers = itertools.count(1)

    def command(self) -> list[str]:
        """See ServerProcess."""
        main = built_once(_SOURCE, *NPM_CI) / "node_modules/azurite/dist/src/blob/main.js"
        flags = ("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent")
        return [program("node"), str(main), *flags, "--blobHost", "127.0.0.1", "--blobPort", str(self.ports[0])]

    def is_ready(self) -> bool:
        """Return whether it answers."""
        return request("GET", self.url())[0] > 0

    @property
    def endpoint(self) -> str:
        """Return the address of the account."""
        return f"{self.url()}/{ACCOUNT}"

    def new_container(self, *, is_public: bool = False) -> str:
        """Create an empty container and return its name."""
        skip_without_client()
        name = f"container-{next(self._numbers)}"
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _API}
        if is_public:
            headers["x-ms-blob-public-access"] = "container"
        # The protocol's "Shared Key": the method, eleven headers that are absent, those of Azure, the resource.
        # This request is the only one that the client of buckets cannot make.
        named = "".join(f"{header}:{value}\n" for header, value in sorted(headers.items()))
        text = "PUT" + "\n" * 12 + f"{named}/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), text.encode(), "sha256")).decode()
        url = f"{self.endpoint}/{name}?restype=container"
        status, body = request("PUT", url, None, Authorization=f"SharedKey {ACCOUNT}:{signature}", **headers)
        assert status == 201, body
        return name

    def variables(self, *, has_login: bool = True, endpoint: str = "") -> dict[str, str]:
        """Return the environment of a client; `endpoint` is another way to the account, such as a relay's."""
        login = {"AZURE_STORAGE_ACCOUNT_KEY": KEY} if has_login else {}
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ENDPOINT": endpoint or self.endpoint,
            **login,
        }
