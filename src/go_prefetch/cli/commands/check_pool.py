"""`go-prefetch sync --check`: let Go check all that a pool holds, remove what is wrong, and report."""

from __future__ import annotations

from go_prefetch.base.format import counted
from go_prefetch.base.retry import Deadline
from go_prefetch.cli.invocation import Invocation
from go_prefetch.errors import notice
from go_prefetch.model.ports import Platform
from go_prefetch.run.check_pool import PoolCheck, PoolVerdict
from go_prefetch.stores.objects.port import ObjectError, Trouble


def check_pool(check: PoolCheck, seconds: float, invocation: Invocation) -> bool:
    """Check and clean the pool, with `seconds` for each part. Return whether it was read and nothing was wrong."""
    platform, name = invocation.platform, check.contents.name
    verdict = PoolVerdict()
    try:
        parts = check.parts(Deadline.after(seconds))
    except ObjectError as error:
        if error.trouble not in (Trouble.REFUSED, Trouble.DENIED):
            platform.warn(notice("store-unreadable", "root", store=name, words=error.words))
            return False
        parts, verdict = check.named_parts(), PoolVerdict(inconclusive=(notice("inconclusive", "not-listed"),))
    with platform.working("Check") as meter:
        meter.wait_for("go")
        for number, part in enumerate(parts, 1):
            meter.say(f"part {number} of {len(parts)}")
            found = check.check(part, Deadline.after(seconds))
            _remove(found, check, Deadline.after(seconds), platform)
            verdict = verdict.plus(found)
    for cause in dict.fromkeys(verdict.inconclusive):
        platform.warn(notice("pool-not-verified", store=name, cause=cause))
    platform.fold("Not verified", [f"{file}: {why.value}" for file, why in sorted(verdict.unverified.items())])
    files = (verdict.good, verdict.bad, verdict.unverified, verdict.infos)
    invocation.show_result(
        f"Checked {counted(sum(map(len, files)), 'file')} in {name}: {len(verdict.good)} right, "
        f"{len(verdict.bad)} wrong, {len(verdict.unverified)} not verified, "
        f"{counted(len(verdict.infos), '.info file')} without a hash"
    )
    return not verdict.bad


def _remove(verdict: PoolVerdict, check: PoolCheck, deadline: Deadline, platform: Platform) -> None:
    for file, words in sorted(verdict.bad.items()):
        case, why = "removed", words
        try:
            check.remove(file, deadline)
        except ObjectError as error:
            case, why = "stays", error.words
        platform.warn(notice("pool-file-wrong", case, name=file, store=check.contents.name, words=why))
