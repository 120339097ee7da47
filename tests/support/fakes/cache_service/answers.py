"""What the service says: calls as they come in, whole answers, and each protocol's way to say no."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

# Per status: Twirp's code (https://twitchtv.github.io/twirp/docs/spec_v7.html) and Azure's
# (https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).
CODES = {
    400: ("malformed", "InvalidInput"),
    401: ("unauthenticated", "NoAuthenticationInformation"),
    403: ("permission_denied", "AuthenticationFailed"),
    404: ("not_found", "BlobNotFound"),
    409: ("already_exists", "BlobAlreadyExists"),
    412: ("failed_precondition", "ConditionNotMet"),
    429: ("resource_exhausted", "TooManyRequests"),
    500: ("internal", "InternalError"),
    502: ("unavailable", "BadGateway"),
    503: ("unavailable", "ServerBusy"),
    504: ("unavailable", "OperationTimedOut"),
}


@dataclass(frozen=True)
class Call:
    """A request as it came, and what is to befall it."""

    route: str
    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes
    fault: int | str | None


@dataclass
class Answer:
    """A whole answer, before a fault spoils its delivery."""

    status: int
    body: bytes | memoryview = b""
    headers: dict[str, str] = field(default_factory=dict)

    def head(self) -> bytes:
        """The status line and the headers."""
        length = {} if self.status == 204 else {"Content-Length": str(len(self.body))}
        lines = [f"{name}: {value}" for name, value in {**self.headers, **length}.items()]
        return "\r\n".join([f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", *lines, "", ""]).encode()


class Refused(Exception):  # noqa: N818 - an answer like any other
    """An answer other than success: a status, Twirp's code, words, and the seconds to wait."""

    def __init__(self, status: int, code: str, words: str, retry_after: int = 0) -> None:
        super().__init__(words)
        self.status, self.code, self.words, self.retry_after = status, code, words, retry_after


def in_json(values: dict[str, Any], status: int = 200, **headers: str) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(values).encode(), {"Content-Type": "application/json", **headers})


def in_xml(status: int, code: str, **headers: str) -> Answer:
    """An error as Azure says it."""
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    common = {"Content-Type": "application/xml", "x-ms-error-code": code, "x-ms-request-id": "1"}
    return Answer(status, body.encode(), {**common, **headers})


def refusal(refused: Refused, *, protocol: str) -> Answer:
    """An error as Twirp says it (`v2`), or as GitHub Enterprise Server does (`v1`)."""
    wait = {"Retry-After": str(refused.retry_after)} if refused.retry_after else {}
    if protocol == "v2":
        return in_json({"code": refused.code, "msg": refused.words}, refused.status, **wait)
    kind = "ArtifactCacheItemAlreadyExistsException" if refused.status == 409 else "ArtifactCacheException"
    said = {"message": refused.words, "typeName": f"GitHub.Services.{kind}", "typeKey": kind, "errorCode": 0}
    return in_json(said, refused.status, **wait)


def injected(status: int, route: str, path: str, retry_after: int) -> Answer:
    """The answer of a fault that is a status, as the part of the service that was called would say it."""
    twirp, azure = CODES.get(status, ("unknown", "Unknown"))
    wait = {"Retry-After": str(retry_after)} if status == 429 else {}
    if route.startswith("blob."):
        return in_xml(status, azure, **wait)
    protocol = "v2" if path.startswith("/twirp/") else "v1"
    return refusal(Refused(status, twirp, "injected", retry_after if wait else 0), protocol=protocol)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a request's body is."""
    try:
        values = json.loads(body)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise Refused(400, "malformed", "the json request could not be decoded")
    return values
