"""Small apps on real routers: what each serves for a path. The tracker's packages bring the routers along."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    # What an app answers for a path: the body and its type.
    Pages = Callable[[str], tuple[bytes, str]]

APPS = Path(__file__).parent / "apps"
TITLES = {"/": "Home", "/two": "Two", "/three": "Three"}

_PACKAGES = Path(__file__).parents[2] / "snippet" / "node_modules"


def react_router() -> Pages:
    """Return an app that sets its titles as React 19 does, when it renders."""
    return _single_page("react-router.jsx")


def vue_router() -> Pages:
    """Return an app that sets its titles after each navigation."""
    return _single_page("vue-router.js")


def turbo() -> Pages:
    """Return a site of whole pages, which Turbo fetches and puts in place of each other."""
    script = _bundle("turbo.js")

    def page(path: str) -> tuple[bytes, str]:
        if path == "/app.js":
            return script, "text/javascript"
        title = f'<title>{TITLES[path]}</title><script src="/app.js" defer></script></head>'
        links = (
            '<a href="/two">Push</a> <a href="/three" role="button" data-turbo-action="replace">Replace</a>'
        )
        return f"<!doctype html><head>{title}{links}".encode(), "text/html"

    return page


ROUTERS: dict[str, Callable[[], Pages]] = {
    "React Router": react_router,
    "Vue Router": vue_router,
    "Turbo": turbo,
}


def _single_page(file: str) -> Pages:
    script = _bundle(file)
    html = b'<!doctype html><head></head><div id="app"></div><script src="/app.js"></script>'
    return lambda path: (script, "text/javascript") if path == "/app.js" else (html, "text/html")


def _bundle(file: str) -> bytes:
    production = '--define:process.env.NODE_ENV="production"'
    command = [_PACKAGES / ".bin" / "esbuild", file, "--bundle", "--jsx=automatic", "--minify", production]
    found = os.environ | {"NODE_PATH": str(_PACKAGES)}
    return subprocess.run(command, cwd=APPS, env=found, check=True, stdout=subprocess.PIPE).stdout
