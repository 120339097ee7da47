"""Calls as they come in, and each protocol's way to say yes and no."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.support.fakes.answers import Answer

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


@dataclass
class Call:
    """A request as it came (`path` has no query), and what is to befall it."""

    route: str
    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes
    origin: str  # what the URL that the client called began with
    fault: int | str | None = None

    @property
    def range(self) -> str:
        """The part of a blob that it is for; Azure prefers its own header."""
        wanted: str = self.headers["x-ms-range"] or self.headers["Range"] or ""
        return wanted


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
