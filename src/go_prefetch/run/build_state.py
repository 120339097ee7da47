"""The file in which `build-cache restore` tells `build-cache save` of the same job what it did.

    {"format": 1, "gocache", "lineage", "moment", "key", "gave_up", "ids": [ID, …], "full_bytes", "delta_bytes",
     "patch_bytes", "replaced": {ID: bytes, …}, "made_from": {ID: ID, …}, "actions": ["<id> <id of its output>", …],
     "outputs": {ID: bytes, …}}

Other programs of the job may change it, so it is untrusted. The folder for replaced outputs is next to it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from go_prefetch.base import nofollow
from go_prefetch.base.atomic_file import write_whole
from go_prefetch.base.untrusted_json import as_integer, as_number, as_text, read_object, required
from go_prefetch.golang.build_cache import is_id
from go_prefetch.model.build_lineage import Lineage, parse_build_key
from go_prefetch.model.build_results import BuildBase, BuildState

_FORMAT = 1
_MOST_BYTES = 64 << 20
_MOST_MOMENT = 1e11  # seconds


def write_state(path: Path, state: BuildState) -> None:
    """Write the state, and the folder of the file. Raises OSError."""
    base = state.base
    values = {
        "format": _FORMAT,
        "gocache": str(state.gocache),
        "lineage": state.lineage.own,
        "moment": state.moment,
        "key": state.key,
        "gave_up": state.gave_up,
        "ids": base.ids,
        "full_bytes": base.full_bytes,
        "delta_bytes": base.delta_bytes,
        "patch_bytes": base.patch_bytes,
        "replaced": dict(base.replaced),
        "made_from": dict(base.made_from),
        "actions": [f"{action} {output}" for action, output in base.actions.items()],
        "outputs": dict(base.outputs),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(values, separators=(",", ":")).encode())


def read_state(path: Path) -> BuildState | None:
    """Return the state of a file; None if there is none, or it makes no sense."""
    values = read_object(path, _MOST_BYTES)
    if values is None or values.get("format") != _FORMAT:
        return None
    try:
        return _state(values, old_outputs(path))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def old_outputs(state: Path) -> Path:
    """Return the folder that a restore has for outputs which others have replaced."""
    return state.absolute().parent / f"{state.name}.go-prefetch-old"


def forget_old_outputs(state: Path) -> None:
    """Remove that folder. Files of others in it stay, and so does the folder then."""
    folder = old_outputs(state)
    with suppress(OSError):
        with nofollow.opened(folder.parent, (folder.name,)) as opened:
            for name in filter(is_id, opened.entries()):
                with suppress(OSError):
                    opened.unlink(name)
        folder.rmdir()


def _state(values: dict[str, Any], old: Path) -> BuildState:
    lineage = required(Lineage.parsed(required(as_text(values["lineage"]))))
    gocache = required(as_text(values["gocache"]))
    if not Path(gocache).is_absolute() or "\0" in gocache:
        raise ValueError(gocache)
    pairs = [required(as_text(line)).split(" ") for line in values["actions"]]
    base = BuildBase(
        ids=_ids(lineage, values["ids"]),
        actions={action: output for action, output in pairs},  # noqa: C416 - each pair must have two parts
        outputs={required(as_text(one)): required(as_integer(size)) for one, size in values["outputs"].items()},
        replaced={_id(one): required(as_integer(size)) for one, size in values["replaced"].items()},
        made_from={_id(one): _id(old) for one, old in values["made_from"].items()},
        full_bytes=required(as_integer(values["full_bytes"])),
        delta_bytes=required(as_integer(values["delta_bytes"])),
        patch_bytes=required(as_integer(values["patch_bytes"])),
    )
    return BuildState(
        gocache=Path(gocache),
        old=old,
        lineage=lineage,
        moment=required(as_number(values["moment"], 0.0, _MOST_MOMENT)),
        key=required(as_text(values["key"])),
        base=base,
        gave_up=values["gave_up"] is True,
    )


def _id(value: object) -> str:
    text = required(as_text(value))
    if not is_id(text):
        raise ValueError(text)
    return text


def _ids(lineage: Lineage, values: list[Any]) -> tuple[str, ...]:
    """Return ids that are part of a key: of one that can exist."""
    return required(parse_build_key(f"{lineage.own}{'.'.join(values)}-0.0")).ids if values else ()
