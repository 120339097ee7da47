"""A server that refuses, and quotes in every encoding what it was sent."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

from tests.support.fakes.raw_server import Line, RawRequest, answer


def spelled(text: str) -> set[str]:
    """A text as servers may quote it."""
    return {text, quote(text, safe=""), json.dumps(text)[1:-1], html.escape(text), text.rstrip("=")}


def quoting(request: RawRequest, line: Line) -> None:
    """Refuse, and say what was sent: in the reason, and in the body as text and as an error of an API."""
    sent = [f"{name}: {value}" for name, value in request.headers.items()]
    logins = [words for words in sent if "authorization" in words.lower() or "token" in words.lower()]
    said = " / ".join(form for words in [request.target, *logins] for form in sorted(spelled(words)))
    body = json.dumps({"message": f"you sent {said}", "msg": said, "code": "permission_denied"})
    status = f"403 Not with {' '.join(logins)}"
    line.say(answer(f"{body}\n{said}\n".encode(), status=status, Content_Type="text/plain; charset=utf-8"))
