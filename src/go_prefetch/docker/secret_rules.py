"""Rules about secrets in an image, its history or its build cache."""

from __future__ import annotations

import re
from collections.abc import Iterator

from go_prefetch.docker.rule import Found, Subject, basename, sources
from go_prefetch.docker.stages import assignments, commands
from go_prefetch.docker.syntax import Instruction

_NAME = re.compile(
    r"(?:\w+_)?(?:TOKEN|PASSWORD|PASSWD|PASS|SECRET|APIKEY|API_KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|SSH_KEY|DEPLOY_KEY"
    r"|CREDENTIALS?|NETRC|PAT)",
    re.IGNORECASE,
)
_LOGIN_IN_URL = re.compile(r"https?://(?=[^/\s\"'@]*[:$])[^/\s\"'@]*@")
_FILES = re.compile(r"\.?_?netrc|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)|\.ssh", re.IGNORECASE)
# A literal password, not a variable. The text of a Dockerfile does not have values of build arguments and secrets.
_PLAIN_LOGIN = re.compile(r"https?://[^/\s\"'@$`(:]*:[^/\s\"'@$`(]+@")
_TOKEN = re.compile(
    r"gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{22}|glpat-[\w-]{20}|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]{0,20}PRIVATE KEY"
)
_WRITES = re.compile(r"(?:>\s*|\btee\s+(?:-a\s+)?)[\"']?[^\s>]*(?:[._]netrc|\.git-credentials)\b")
_TAKES_BACK = re.compile(r"--unset|--remove-section")
_RM = re.compile(r"\brm\s")
_LOGIN_FILE = re.compile(r"netrc|git-credentials|gitconfig")


def secret_in_arg(subject: Subject) -> Iterator[Found]:
    """Find a secret as a build argument: every user of the image can read it with `docker history`."""
    for instruction in subject.dockerfile.instructions:
        for name, value in assignments(instruction) if instruction.name == "ARG" else ():
            if _NAME.fullmatch(name) or _is_secret(value):
                yield Found(instruction.line, f"ARG {name} passes a secret as a build argument")


def secret_in_env(subject: Subject) -> Iterator[Found]:
    """Find a secret in the environment of every container."""
    for instruction in subject.dockerfile.instructions:
        for name, value in assignments(instruction) if instruction.name == "ENV" else ():
            held = value and not value.startswith("/") and value.lower() not in ("true", "false")
            if (_NAME.fullmatch(name) and held) or _is_secret(value):
                yield Found(instruction.line, f"ENV {name} keeps a secret in the image")


def _is_secret(value: str) -> bool:
    return bool(_LOGIN_IN_URL.search(value) or _TOKEN.search(value))


def secret_copied(subject: Subject) -> Iterator[Found]:
    """Find a file with passwords or keys that is copied into a layer."""
    for instruction in subject.dockerfile.instructions:
        if instruction.name in ("COPY", "ADD"):
            written = instruction.words[-1:] if instruction.heredocs else []
            for source in (*sources(instruction), *written):
                if _FILES.fullmatch(basename(source.rstrip("/"))):
                    yield Found(instruction.line, f"{source} stays in a layer")


def secret_in_layer(subject: Subject) -> Iterator[Found]:
    """Find a literal login in an instruction, or a RUN that writes a login to a file and leaves it there."""
    for instruction in subject.dockerfile.instructions:
        text = "\n".join((instruction.text, *instruction.heredocs))
        if instruction.name not in ("ARG", "ENV") and (_PLAIN_LOGIN.search(text) or _TOKEN.search(text)):
            yield Found(instruction.line, "a literal login stays in the image or its history")
        elif instruction.name == "RUN" and _writes_login(instruction) and not _removes(instruction.script):
            yield Found(instruction.line, "a login is written to a file that stays in the layer")


def _writes_login(instruction: Instruction) -> bool:
    set_by_git = (command.words for command in commands(instruction) if command.words[:2] == ("git", "config"))
    rewritten = (word for words in set_by_git for word in words if word.endswith(".insteadOf"))
    return bool(_WRITES.search(instruction.script)) or any(map(_LOGIN_IN_URL.search, rewritten))


def _removes(script: str) -> bool:
    """Return whether a script removes a login again. Each part is searched once, so the time is linear."""
    parts = [(part, _RM.search(part)) for part in re.split(r"[;&|\n]", script)]
    return bool(_TAKES_BACK.search(script)) or any(rm and _LOGIN_FILE.search(part, rm.end()) for part, rm in parts)
