"""Secrets that end up in an image, its history or its build cache."""

from __future__ import annotations

import re
from collections.abc import Iterator

from go_prefetch.dockerfiles.findings import Found, Subject, basename, sources
from go_prefetch.dockerfiles.stages import assignments

_NAME = re.compile(
    r"(?:\w+_)?(?:TOKEN|PASSWORD|PASSWD|PASS|SECRET|APIKEY|API_KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|SSH_KEY|DEPLOY_KEY"
    r"|CREDENTIALS?|NETRC|PAT)",
    re.IGNORECASE,
)
_LOGIN_IN_URL = re.compile(r"https?://(?=[^/\s\"'@]*[:$])[^/\s\"'@]*@")
_FILES = re.compile(r"\.?_?netrc|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)|\.ssh", re.IGNORECASE)
_WRITES = re.compile(r">\s*[\"']?[^\s>]*(?:[._]netrc|\.git-credentials)\b|insteadOf")
_TAKES_BACK = re.compile(r"--unset|--remove-section")
_RM = re.compile(r"\brm\s")
_LOGIN_FILE = re.compile(r"netrc|git-credentials|gitconfig")


def secret_in_arg(subject: Subject) -> Iterator[Found]:
    """A secret as a build argument: `docker history` shows it to whoever has the image."""
    for instruction in subject.dockerfile.instructions:
        for name, value in assignments(instruction) if instruction.name == "ARG" else ():
            if _NAME.fullmatch(name) or _LOGIN_IN_URL.search(value):
                yield Found(instruction.line, f"ARG {name} takes a secret as a build argument")


def secret_in_env(subject: Subject) -> Iterator[Found]:
    """A secret in the environment of every container made from the image."""
    for instruction in subject.dockerfile.instructions:
        for name, value in assignments(instruction) if instruction.name == "ENV" else ():
            held = value and not value.startswith("/") and value.lower() not in ("true", "false")
            if (_NAME.fullmatch(name) and held) or _LOGIN_IN_URL.search(value):
                yield Found(instruction.line, f"ENV {name} keeps a secret in the image")


def secret_copied(subject: Subject) -> Iterator[Found]:
    """A file with passwords or keys, copied into a layer."""
    for instruction in subject.dockerfile.instructions:
        if instruction.name in ("COPY", "ADD"):
            for source in sources(instruction):
                if _FILES.fullmatch(basename(source.rstrip("/"))):
                    yield Found(instruction.line, f"{source} becomes part of a layer")


def secret_in_layer(subject: Subject) -> Iterator[Found]:
    """A login written to a file by a RUN that leaves it there."""
    for instruction in subject.dockerfile.instructions:
        if instruction.name != "RUN" or _removes(instruction.script):
            continue
        match = _WRITES.search(instruction.script)
        if match and ("insteadOf" not in match[0] or _LOGIN_IN_URL.search(instruction.script)):
            yield Found(instruction.line, "a login is written to a file and stays in the layer")


def _removes(script: str) -> bool:
    """Whether it takes a login away again: part by part, so that no search begins twice over the same text."""
    parts = [(part, _RM.search(part)) for part in re.split(r"[;&|\n]", script)]
    return bool(_TAKES_BACK.search(script)) or any(rm and _LOGIN_FILE.search(part, rm.end()) for part, rm in parts)
