"""What an operation is: a row of the table that the routes and the OpenAPI document are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from collector.api.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web
    from pydantic import BaseModel

    from collector.access import Caller
    from collector.api.services import Services
    from collector.model import Source


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation; ``body`` and ``query`` are instances of the operation's models."""

    services: Services
    caller: Caller
    request: web.Request
    query: Any = None
    body: Any = None

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]

    @property
    def source(self) -> Source:
        """The source that the path names. Raises ApiError 404; an alias is no name here."""
        found = self.services.catalogue.find(self.path("source"))
        if found is None or found.id != self.path("source"):
            raise ApiError(404, "No source has this id.")
        return found

    def expected_version(self, source: Source) -> int | None:
        """Return the version that If-Match asks for, None when any will do. Raises ApiError 412."""
        given = self.request.headers.get("If-Match")
        if given is None or given.strip() == "*":
            return None
        if tag_of(source) not in [tag.strip() for tag in given.split(",")]:
            raise ApiError(412, "The source has been changed meanwhile. Look at it again.")
        return source.version


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers: a model or nothing, and headers."""

    body: BaseModel | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler: TypeAlias = "Callable[[Call], Awaitable[Reply | web.StreamResponse]]"


@dataclass(frozen=True, slots=True)
class Operation:
    """A row: what is called how, by whom, with what, and what may come of it.

    ``body`` is the model of the document; with ``plain_body`` the handler checks the JSON itself. ``tagged``
    tells whether If-Match is looked at. ``refusals`` are statuses beyond those that every operation has.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    scope: str
    handler: Handler
    answer: type[BaseModel] | None = None
    status: int = 200
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    plain_body: bool = False
    tagged: Literal["", "offered", "required"] = ""
    media: str = "application/json"
    refusals: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Its id in the document."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (self.handler.__doc__ or "").partition("\n")[0]

    @property
    def details(self) -> str:
        """What else is to be said."""
        return " ".join((self.handler.__doc__ or "").partition("\n")[2].split())


def tag_of(source: Source) -> str:
    """Return the ETag of a source: its version, and when it was made, since an id can be used anew."""
    return f'"{source.version}-{source.created}"'
