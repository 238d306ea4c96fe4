"""Errors of the API, in one shape: a code, a sentence, and where there are several faults, each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from collector.access import AccessError, ThrottledError
from collector.links import LinkError
from collector.model import Refusal
from collector.people import PersonError
from collector.sources import SourceError, StaleError
from collector.sources.form import TakenError
from collector.store import RedisError
from collector.wording import place_of, rule_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError

CODES = {
    400: ("not_json", "The request cannot be read."),
    401: ("unauthorized", "No token or session was sent, or it is unknown or has ended."),
    403: ("forbidden", "The token or account lacks the scope."),
    404: ("not_found", "Nothing is here."),
    405: ("method_not_allowed", "This path does not take this method."),
    408: ("timeout", "The body did not arrive in time."),
    409: ("conflict", "It stands against what is there."),
    412: ("changed_meanwhile", "If-Match names a version that has passed."),
    413: ("too_large", "The body is larger than the limit."),
    415: (
        "unsupported_media_type",
        "Send JSON, with Content-Type: application/json and without Content-Encoding.",
    ),
    422: ("invalid", "A field is missing or has a value that is not allowed."),
    428: ("precondition_required", "Send If-Match with the ETag of what you have seen."),
    429: ("too_many_calls", "Too many calls in a minute; wait for Retry-After seconds."),
    500: ("internal", "The collector failed; the fault is logged."),
    502: ("no_answer", "The public door did not answer."),
    503: ("unavailable", "Redis does not answer; try again."),
}


_MOST_FAULTS = 100


class Fault(BaseModel):
    """One fault of a request."""

    model_config = ConfigDict(extra="forbid")

    where: str = Field(description="Path of the field, such as settings.origins.0.")
    message: str


class ErrorBody(BaseModel):
    """What every error answers."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(description="What a program can tell errors apart by.")
    message: str = Field(description="One sentence for people.")
    faults: list[Fault] = Field(
        default=[], description=f"Each fault, when fields were wrong, up to {_MOST_FAULTS}."
    )


class ApiError(Exception):
    """An error with its status, and headers that go with it."""

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        faults: list[Fault] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        code, general = CODES[status]
        self.body = ErrorBody(code=code, message=message or general, faults=(faults or [])[:_MOST_FAULTS])


# From the particular to the general: the first that fits counts.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (StaleError, 412),
    (TakenError, 409),
    (SourceError, 422),
    (LinkError, 422),
    (PersonError, 422),
    (AccessError, 422),
    (Refusal, 422),
)


def as_api_error(error: Exception) -> ApiError | None:
    """Return the API's error for one that other rooms raise; None for a fault of ours."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ThrottledError):
        return ApiError(429, headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, RedisError):
        return ApiError(503, headers={"Retry-After": "5"})
    for kind, status in _STATUS:
        if isinstance(error, kind):
            message = error.message if isinstance(error, Refusal) else str(error)
            return ApiError(status, message, faults=_faults_in(error))
    return None


def _faults_in(error: Exception) -> list[Fault]:
    """Return what is wrong with each field of a source; none for what is about no field."""
    told = error.errors if isinstance(error, SourceError) else {}
    return [Fault(where=path, message=rule) for path, rule in told.items() if path]


def faults_of(error: ValidationError) -> list[Fault]:
    """Return each fault with its field, without what was sent."""
    return [
        Fault(where=place_of(each), message=f"{rule_of(each)}.") for each in error.errors(include_input=False)
    ]
