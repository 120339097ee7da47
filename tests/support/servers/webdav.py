"""nginx as docs/fleet.md sets it up, and Apache with WebDAV. Both are Debian packages."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from tests.support.servers.process import ServerProcess, program, request

_FLEET = Path(__file__).parents[3] / "docs" / "fleet.md"
_MODULES = Path("/usr/lib/apache2/modules")


class Nginx(ServerProcess):
    """The location that the documentation shows, for the pool `go`. `login` may write."""

    login = "writer:secret"

    @property
    def root(self) -> Path:
        """The folder of pools."""
        return self.folder / "pools"

    def command(self) -> list[str]:
        """See ServerProcess."""
        self.root.mkdir(exist_ok=True)
        users, conf = self.folder / "users", self.folder / "conf"
        user, _, password = self.login.partition(":")
        users.write_text(f"{user}:{{PLAIN}}{password}\n")
        (shown,) = re.findall(r"^```nginx\n(.*?)^```", _FLEET.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        location = shown.replace("/srv/pools", str(self.root)).replace("/etc/nginx/pool.users", str(users))
        assert location.count(str(self.folder)) == 3
        places = "".join(f"{name}_temp_path {self.folder}/{name};\n" for name in ("proxy", "fastcgi", "uwsgi", "scgi"))
        as_root = "user root;\n" if os.geteuid() == 0 else ""
        conf.write_text(
            f"daemon off;\nmaster_process off;\n{as_root}pid {self.folder}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{places}server {{\nlisten 127.0.0.1:{self.ports[0]};\n{location}}}\n}}\n"
        )
        return [program("nginx"), "-c", str(conf), "-p", str(self.folder), "-e", "stderr"]

    def is_ready(self) -> bool:
        """Return whether it answers."""
        return request("GET", self.url())[0] > 0


class Apache(ServerProcess):
    """WebDAV at its root, without a login. Started by root it runs as www-data, who must reach `folder`."""

    @property
    def root(self) -> Path:
        """The folder that it serves."""
        return self.folder / "root"

    def command(self) -> list[str]:
        """See ServerProcess."""
        self.root.mkdir(exist_ok=True)
        names = ("mpm_event", "authz_core", "dav", "dav_fs")
        user = "www-data"
        if os.geteuid() == 0:
            shutil.chown(self.root, user)
        conf = self.folder / "conf"
        lines = (
            f"ServerRoot {self.folder}",
            "ServerName 127.0.0.1",
            f"PidFile {self.folder}/pid",
            f"ErrorLog {self.folder}/errors",
            f"Listen 127.0.0.1:{self.ports[0]}",
            *(f"LoadModule {name}_module {_MODULES}/mod_{name}.so" for name in names),
            *((f"User {user}", f"Group {user}") if os.geteuid() == 0 else ()),
            f"DavLockDB {self.root}/.locks",
            f"DocumentRoot {self.root}",
            f"<Directory {self.root}>",
            "Dav On",
            "Require all granted",
            "</Directory>",
        )
        conf.write_text("".join(f"{line}\n" for line in lines))
        return [program("apache2"), "-X", "-f", str(conf)]

    def is_ready(self) -> bool:
        """Return whether it answers."""
        return request("GET", self.url())[0] > 0
