"""Small apps on real routers: what each serves for a path. The tracker's packages bring the routers along."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from tests.browser.recipes import NEXT
from tests.browser.street import Door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    # What an app answers for a path: the body and its type.
    Pages = Callable[[str], tuple[bytes, str]]

APPS = Path(__file__).parent / "apps"
TITLES = {"/": "Home", "/two": "Two", "/three": "Three"}

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_TRACKER = Path(__file__).parents[2] / "snippet"
_PACKAGES = _TRACKER / "node_modules"


def react_router() -> Pages:
    """Return an app that sets its titles as React 19 does, when it renders."""
    return single_page(_bundle("react-router.jsx"))


def vue_router() -> Pages:
    """Return an app that sets its titles after each navigation."""
    return single_page(_bundle("vue-router.js"))


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


def next_app() -> Pages:
    """Return an app of Next, exported as files; its packages have a lock of their own, being large.

    What is under ``/bundled`` has the tracker's package in it, as npm would install it, by the docs' recipe.
    """
    folder = APPS / "next"
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes run the tests, and one of them builds
        if not _fresh(folder / "node_modules" / ".package-lock.json", [folder / "package-lock.json"]):
            options = ("--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund")
            subprocess.run(["npm", "ci", *options], cwd=folder, check=True)
        recipe = folder / "app" / "bundled" / "recipe.jsx"
        code = NEXT.code().replace("'/e/web1'", "globalThis.endpoint")  # the test says where its collector is
        if not recipe.exists() or recipe.read_text(encoding="utf-8") != code:
            recipe.write_text(code, encoding="utf-8")
        sources = [folder / "package-lock.json", folder / "next.config.mjs", *folder.glob("app/**/*.jsx")]
        if not _fresh(folder / "out" / "index.html", [*sources, *_TRACKER.glob("src/**/*.ts")]):
            _install_tracker(folder / "node_modules" / "@headwater" / "tracker")
            subprocess.run(["npm", "run", "build"], cwd=folder, check=True)

    def page(path: str) -> tuple[bytes, str]:
        file = folder / "out" / (path.lstrip("/") or "index")
        found = file if file.suffix else file.with_suffix(".html")
        return found.read_bytes(), _TYPES.get(found.suffix, "text/plain")

    return page


def single_page(script: bytes) -> Pages:
    """Return an app whose script makes every page."""
    html = b'<!doctype html><head></head><div id="app"></div><script src="/app.js"></script>'
    return lambda path: (script, "text/javascript") if path == "/app.js" else (html, "text/html")


@asynccontextmanager
async def served(pages: Pages, tag: str = "") -> AsyncIterator[str]:
    """Serve an app with a tag at the end of its head; yield its origin."""
    head = f'<link rel="icon" href="data:,">{tag}</head>'.encode()

    async def answer(request: web.BaseRequest) -> web.Response:
        body, kind = pages(request.path)
        return web.Response(body=body.replace(b"</head>", head, 1), content_type=kind)

    door = Door(answer)
    await door.open()
    yield f"http://127.0.0.1:{door.port}"
    await door.close()


ROUTERS: dict[str, Callable[[], Pages]] = {
    "React Router": react_router,
    "Vue Router": vue_router,
    "Turbo": turbo,
    "Next": next_app,
}


def _fresh(made: Path, sources: list[Path]) -> bool:
    """Tell whether a file is there and no older than what it was made from."""
    return made.exists() and all(made.stat().st_mtime >= source.stat().st_mtime for source in sources)


def _install_tracker(place: Path) -> None:
    compiler = [_PACKAGES / ".bin" / "tsc", "-p", "tsconfig.lib.json", "--outDir", place / "lib"]
    subprocess.run(compiler, cwd=_TRACKER, check=True)
    shutil.copy(_TRACKER / "package.json", place)


def _bundle(file: str) -> bytes:
    production = '--define:process.env.NODE_ENV="production"'
    command = [_PACKAGES / ".bin" / "esbuild", file, "--bundle", "--jsx=automatic", "--minify", production]
    found = os.environ | {"NODE_PATH": str(_PACKAGES)}
    return subprocess.run(command, cwd=APPS, env=found, check=True, stdout=subprocess.PIPE).stdout
