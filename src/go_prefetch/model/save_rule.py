"""Which files may be saved. The step save, `fill` and the report use this one rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from go_prefetch.errors import Notice, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import Downloaded


class Withheld(Enum):
    """Why a file is not saved: a variable of Go matches its module, or a login."""

    GOPRIVATE = "GOPRIVATE"
    GONOPROXY = "GONOPROXY"
    GONOSUMDB = "GONOSUMDB"
    LOGIN = "login"  # a proxy required one
    GO_LOGIN = "go-login"  # Go downloaded it, and has logins


@dataclass(frozen=True)
class SaveRule:
    """Files that may not be for everyone are saved only with `private_too`.

    With `go_logs_in`, files that Go downloaded itself may have needed a login.
    """

    private_too: bool = False
    go_logs_in: bool = False

    def withheld(
        self, plan: Plan, *downloaded: Downloaded, by_go: Iterable[ModuleFile] = ()
    ) -> Mapping[ModuleFile, Withheld]:
        """Return the files of the plan that may not be saved, and why."""
        if self.private_too:
            return {}
        with_login = {file for one in downloaded for file in one.credentialed}
        return {
            **(dict.fromkeys(by_go, Withheld.GO_LOGIN) if self.go_logs_in else {}),
            **dict.fromkeys(with_login, Withheld.LOGIN),
            **{file: Withheld(plan.unsaved[file.module]) for file in plan.files if file.module in plan.unsaved},
        }


ALL_FILES = SaveRule(private_too=True)


def not_saved(withheld: Mapping[ModuleFile, Withheld]) -> Notice | None:
    """Return why modules are not saved; None if there are none."""
    modules: dict[Withheld, set[ModuleVersion]] = {}
    for file, why in withheld.items():
        modules.setdefault(why, set()).add(file.module)
    reasons = tuple(_reason(why, len(modules[why])) for why in Withheld if why in modules)
    return notice("not-saved", "several", reasons=reasons) if len(reasons) > 1 else reasons[0] if reasons else None


def _reason(why: Withheld, count: int) -> Notice:
    if why in (Withheld.LOGIN, Withheld.GO_LOGIN):
        return notice("not-saved", why.value, count=count)
    return notice("not-saved", "one" if count == 1 else "", count=count, variable=why.value)
