"""Render the pages of the console: one jinja environment for every room that has pages, and its filters."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jinja2
import orjson
from aiohttp import web
from markupsafe import Markup

from collector.access.gate import ACCOUNT, CALLER
from collector.assets import asset

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_STORE = {"Cache-Control": "no-store"}
_LONGEST = 300
_SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def page(request: web.Request, name: str, /, *, status: int = 200, **values: Any) -> web.Response:
    """Return a page of templates/console; it sees ``request``, the signed-in ``account`` and ``values``."""
    caller = request.get(CALLER)
    seen = {
        "request": request,
        "account": request.get(ACCOUNT),
        "here": request.path,
        "form_token": lambda: _form_token(caller.form_token if caller else ""),
        **values,
    }
    text = environment().get_template(f"console/{name}").render(seen)
    return web.Response(text=text, status=status, content_type="text/html", headers=_NO_STORE)


def _form_token(token: str) -> Markup:
    """Return the hidden field that every form of a signed-in page carries; other sites cannot know it."""
    return Markup('<input type="hidden" name="form_token" value="{}">').format(token)


def see_other(location: str) -> web.Response:
    """Return the answer to a form that was taken: go and look."""
    return web.Response(status=303, headers={**_NO_STORE, "Location": location})


@cache
def environment() -> jinja2.Environment:
    """Return the environment; whoever adds to its globals does so once, while the console is put together."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset("templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {
        "ago": ago,
        "clock": clock,
        "time_of_day": time_of_day,
        "count": count,
        "safe_link": safe_link,
        "compact": _compact,
        "json": _json,
    }
    return made


def ago(value: str | float | None) -> Markup:
    """Return a time (ISO 8601, or seconds since 1970) as people say it, with the exact one beside it."""
    if not value:
        return Markup("never")
    seconds = datetime.fromisoformat(value).timestamp() if isinstance(value, str) else value
    past = max(0, int(time.time() - seconds))
    said = "just now"
    for span, name in _SPANS:
        if past >= span:
            number = past // span
            said = f"{number} {name}{'' if number == 1 else 's'} ago"
            break
    exact = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(exact, said)


def clock(value: str | float) -> Markup:
    """Return a time as date and clock time in UTC."""
    seconds = datetime.fromisoformat(value).timestamp() if isinstance(value, str) else value
    exact = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{0}">{1}</time>').format(
        exact.isoformat(timespec="seconds").replace("+00:00", "Z"), exact.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def time_of_day(value: float) -> Markup:
    """Return a time (seconds since 1970) as clock time in UTC, with the date beside it."""
    exact = datetime.fromtimestamp(value, UTC)
    iso = exact.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(iso, exact.strftime("%H:%M:%S"))


def count(value: float) -> str:
    """Return a whole number with thin spaces between its thousands."""
    return f"{value:,.0f}".replace(",", "\u2009")


def safe_link(value: Any) -> str:
    """Return an address that a page may link to: http or https; else nothing."""
    try:
        return value if isinstance(value, str) and urlsplit(value).scheme in {"http", "https"} else ""
    except ValueError:
        return ""


def _json(value: Mapping[str, Any] | list[Any]) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()


def _compact(value: Any) -> str:
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
