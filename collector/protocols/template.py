"""Templates of paths into a delivery: ``{header.x-github-event}.{body.action}``, ``{body.id|query.id}``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from collector.protocols.payload import Payload, read_payload, read_query

if TYPE_CHECKING:
    from collector.model import Hit

ROOTS = ("body", "header", "path", "query")

_FIELD = re.compile(r"\{([^{}]*)\}")
_LOOSE = " .:#"  # what joins parts, and is left over when one is absent

Path: TypeAlias = "tuple[str, ...]"
Part: TypeAlias = "str | tuple[Path, ...]"


class TemplateError(ValueError):
    """A template that cannot be read; the message says which part."""


class Scope:
    """What templates see of a delivery. The body is parsed when it is first asked for."""

    def __init__(self, hit: Hit) -> None:
        self.hit = hit

    @cached_property
    def payload(self) -> Payload:
        """The body as far as its syntax goes. Raises Refusal as ``read_payload`` does."""
        return read_payload(self.hit.body, self.header("content-type"))

    @cached_property
    def body(self) -> Any:
        """What the body holds, or the item of it that is looked at."""
        return self.payload.value

    @cached_property
    def query(self) -> dict[str, Any]:
        """The parameters of the address. Raises Refusal bad_request."""
        return read_query(self.hit.query)

    def header(self, name: str) -> str:
        """Return a header without the bytes that are no UTF-8: some clients send Latin-1."""
        value = self.hit.headers.get(name, "")
        return value if value.isascii() else value.encode(errors="surrogateescape").decode(errors="replace")

    def of(self, item: Any) -> Scope:
        """Return the same delivery with one item of its body as the body."""
        scope = Scope(self.hit)
        scope.body = item
        return scope


@dataclass(frozen=True, slots=True)
class Template:
    """Text with paths in braces. One path alone gives the value that it leads to, of any type."""

    parts: tuple[Part, ...]

    def value(self, scope: Scope) -> Any:
        """Return what the template gives, None when nothing is there."""
        if len(self.parts) == 1:
            return _part(self.parts[0], scope)
        return self.text(scope) or None

    def text(self, scope: Scope) -> str:
        """Return what the template gives as text, without the joints around absent parts."""
        if not self.parts:
            return ""
        found = [_part(part, scope) for part in self.parts]
        text = "".join(str(each) for each in found if isinstance(each, str | int | float))
        return text.strip(_LOOSE) if len(found) > 1 else text

    @property
    def headers(self) -> list[str]:
        """The headers that it reads, first choices only."""
        fields = [part[0] for part in self.parts if isinstance(part, tuple)]
        return [path[1] for path in fields if path[0] == "header"]


@lru_cache(1024)
def template(text: str) -> Template:
    """Read a template. Raises TemplateError."""
    parts: list[Part] = []
    end = 0
    for match in _FIELD.finditer(text):
        if literal := text[end : match.start()]:
            parts.append(literal)
        parts.append(tuple(_path(choice) for choice in match[1].split("|")))
        end = match.end()
    if literal := text[end:]:
        parts.append(literal)
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parts):
        raise TemplateError(f"{text!r} has a brace without its partner")
    return Template(tuple(parts))


def _path(text: str) -> Path:
    root, *keys = text.strip().split(".")
    if root not in ROOTS or (root in {"header", "query"} and not keys):
        raise TemplateError(f"{text!r} must begin with {', '.join(ROOTS)}, such as body.user.id")
    return (root, ".".join(keys).lower()) if root == "header" else (root, *keys)


def _part(part: Part, scope: Scope) -> Any:
    if isinstance(part, str):
        return part
    for path in part:
        value = _lead(path, scope)
        if value is not None and value != "":
            return value
    return None


def _lead(path: Path, scope: Scope) -> Any:
    root, *keys = path
    if root == "header":
        return scope.header(keys[0])
    if root == "path":
        return scope.hit.path
    value = scope.body if root == "body" else scope.query
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and int(key[:9]) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
