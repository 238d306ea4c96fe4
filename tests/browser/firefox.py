"""Debian's Firefox, driven by WebDriver BiDi, in as many of Playwright's words as the scenarios use.

The protocol: https://www.w3.org/TR/webdriver-bidi/.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from contextlib import asynccontextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import ClientSession, WSMsgType

from tests.conftest import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientWebSocketResponse

# Nothing but the test speaks over the network; remote control itself switches the rest off.
_PREFERENCES = """
user_pref("services.settings.server", "data:,#");
user_pref("network.connectivity-service.enabled", false);
"""

_ADDRESS = "WebDriverBiDiServer.json"
# Ends only a command that has failed.
_PATIENCE_SECONDS = 60


class BidiError(Exception):
    """The browser refused a command, or a script threw."""


class Bidi:
    """A connection: commands go out with a number, answers come back with it."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Hand answers to those who wait for them, until the connection ends."""
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                answer = orjson.loads(message.data)
                if waiting := self._asked.pop(answer.get("id"), None):
                    waiting.set_result(answer)

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return a command's result; raise `BidiError` when it is refused, `TimeoutError` when none comes."""
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(_PATIENCE_SECONDS):
            answer = await self._asked[number]
        if answer["type"] == "error":
            raise BidiError(answer["message"])
        result: dict[str, Any] = answer["result"]
        return result


class Tab:
    """A page in a window of its own, because Firefox hides all tabs of a window but one."""

    def __init__(self, bidi: Bidi, context: str) -> None:
        self._bidi = bidi
        self._context = context

    @property
    async def inner(self) -> Tab:
        """The page in the first frame of this one."""
        tree = await self._bidi.send("browsingContext.getTree", root=self._context)
        return Tab(self._bidi, tree["contexts"][0]["children"][0]["context"])

    async def set_content(self, html: str) -> None:
        """Write a page into the empty one."""
        await self.evaluate("html => { document.write(html); document.close() }", html)

    async def goto(self, url: str) -> None:
        """Go to an address and wait for its load."""
        await self._bidi.send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a function in the page; return what it returns if that is plain, when its promise settles."""
        answer = await self._bidi.send(
            "script.evaluate",
            expression=f"({function})({orjson.dumps(argument).decode()})",
            target={"context": self._context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    async def wait_for_function(self, function: str, timeout: float = 20_000) -> None:  # noqa: ASYNC109 - Playwright's word
        """Wait until a function in the page returns something true, ``timeout`` milliseconds at most."""

        async def true() -> bool:
            try:
                return bool(await self.evaluate(function))
            except BidiError:  # between two pages there is none to ask
                return False

        await until(true, timeout / 1000)

    async def wait_for_url(self, pattern: str) -> None:
        """Wait until the page's address is like a pattern."""

        async def there() -> bool:
            tree = await self._bidi.send("browsingContext.getTree", root=self._context)
            return fnmatch(tree["contexts"][0]["url"], pattern)

        await until(there)

    async def close(self) -> None:
        """Close the page as a visitor does."""
        await self._bidi.send("browsingContext.close", context=self._context)


class Visitor:
    """A fresh profile: what one visitor keeps, no other sees."""

    def __init__(self, bidi: Bidi, name: str) -> None:
        self._bidi = bidi
        self._name = name

    async def new_page(self) -> Tab:
        """Open an empty page."""
        made = await self._bidi.send("browsingContext.create", type="window", userContext=self._name)
        return Tab(self._bidi, made["context"])

    async def set_offline(self, *, offline: bool) -> None:
        """Cut all pages from the network, or connect them again."""
        conditions = {"type": "offline"} if offline else None
        await self._bidi.send(
            "emulation.setNetworkConditions", networkConditions=conditions, userContexts=[self._name]
        )

    async def add_init_script(self, script: str) -> None:
        """Run a script in every page before its own."""
        declared = f"() => {{ {script} }}"
        await self._bidi.send(
            "script.addPreloadScript", functionDeclaration=declared, userContexts=[self._name]
        )

    async def close(self) -> None:
        """Close all pages and forget what was kept."""
        await self._bidi.send("browser.removeUserContext", userContext=self._name)


class Firefox:
    """A browser that runs."""

    def __init__(self, bidi: Bidi) -> None:
        self._bidi = bidi

    async def new_context(self) -> Visitor:
        """Make a visitor."""
        made = await self._bidi.send("browser.createUserContext")
        return Visitor(self._bidi, made["userContext"])


@asynccontextmanager
async def firefox() -> AsyncIterator[Firefox]:
    """Run a Firefox with an empty profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        async with _running(Path(folder)) as bidi:
            yield Firefox(bidi)


@asynccontextmanager
async def persistent_firefox(profile: str) -> AsyncIterator[Visitor]:
    """Run a Firefox on a profile; yield its visitor, who may be killed with it."""
    async with _running(Path(profile)) as bidi:
        yield Visitor(bidi, "default")


@asynccontextmanager
async def _running(profile: Path) -> AsyncIterator[Bidi]:
    """Run a Firefox without a window; yield the connection to it."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program, "install firefox, on Debian: apt-get install firefox-esr"
    (profile / "user.js").write_text(_PREFERENCES, encoding="utf-8")
    (profile / _ADDRESS).unlink(missing_ok=True)  # of one that was killed
    process = await asyncio.create_subprocess_exec(
        program,
        "--headless",
        "--remote-debugging-port=0",
        "--profile",
        profile,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with _connected(profile) as bidi:
            yield bidi
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@asynccontextmanager
async def _connected(profile: Path) -> AsyncIterator[Bidi]:
    async with ClientSession() as session, session.ws_connect(await _address(profile)) as socket:
        bidi = Bidi(socket)
        listening = asyncio.create_task(bidi.listen())
        await bidi.send("session.new", capabilities={})
        yield bidi
        listening.cancel()
        await asyncio.wait([listening])


async def _address(profile: Path) -> str:
    """Wait until Firefox has written down where it listens."""
    file = profile / _ADDRESS

    async def written() -> str:
        return file.read_text(encoding="utf-8") if file.exists() else ""

    at = orjson.loads(await until(written, _PATIENCE_SECONDS))
    return f"ws://{at['ws_host']}:{at['ws_port']}/session"
