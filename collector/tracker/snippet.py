"""The tag that a site owner pastes, in its variants."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import jinja2

from collector.assets import asset
from collector.tracker.render import render

if TYPE_CHECKING:
    from collector.model import Source


def snippet(source: Source, base: str, *, alias: str = "", integrity: bool = False, nonce: str = "") -> str:
    """Return the tag for a source; ``base`` is the public door's address, or the site's own path to it.

    With ``integrity`` the tag names the digest path and its sha384, so a change of settings needs a new tag.
    ``alias`` stands for the source's id in the path. ``nonce`` is for a page whose
    Content-Security-Policy asks for one.
    """
    rendered = render(source)
    name = (alias or source.id) + (f".{rendered.digest}" if integrity else "")
    return (
        _template()
        .render(
            src=f"{base.rstrip('/')}/s/{name}.js",
            integrity=rendered.integrity if integrity else "",
            nonce=nonce,
            **{"global": source.settings.options.get("global", "headwater")},
        )
        .strip()
    )


def about_pinning(source: Source) -> str:
    """Return what a tag with ``integrity`` costs a source that asks for tokens, empty for any other."""
    done = {"flag": "get the flag no_token", "refuse": "are refused as bad_token"}.get(source.settings.token)
    if not done:
        return ""
    return (
        f"Pinned bytes cannot carry the token that {source.id!r} asks for, since it changes every hour: "
        f"hits of this tag {done}."
    )


@lru_cache(1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(asset("templates")), autoescape=True)
    return environment.get_template("snippet.html.j2")
