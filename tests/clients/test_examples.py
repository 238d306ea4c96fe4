"""The documented examples run as they stand, and join a caller with the visitor of the web site."""

from __future__ import annotations

import asyncio
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from collector.people import Holdings, Person, person
from collector.sources.keys import add_key
from tests.conftest import until

if TYPE_CHECKING:
    from tests.clients.island import Island
    from tests.conftest import Running

PAGE = (Path(__file__).parent.parent.parent / "docs" / "rest.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## A phone call in a person's history")[2].partition("\n## ")[0]
EMAIL = "ada@example.com"


def example(language: str) -> str:
    """Return the section's example in a language."""
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)[0]


async def run(place: Island, folder: Path, *command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *place.enter, *command, cwd=folder, env=place.environment, stdout=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0, command


async def test_a_call_is_in_the_history_of_the_visitor_with_the_same_hash(
    running: Running, packages: Path, place: Island
) -> None:
    user = sha256(EMAIL.encode()).hexdigest()
    site = await running.add(name="Shop", privacy={"visitors": "cookie"})
    crm = await running.add(name="CRM", bridge="rest", channel="Call Center")
    key = await add_key(running.parts.catalogue, crm.id)
    url = f"http://{place.address}:{running.parts.ports.public}"

    # On the web site, once the visitor has given the address:
    page = {"type": "page", "name": "Prices", "anonymousId": "v1"}
    known = {"type": "identify", "userId": user, "anonymousId": "v1"}
    assert (await running.post(site.id, {"batch": [page, known]})).status == 204

    # In the call centre, each as documented:
    shell = example("sh").replace("KEY=…", f"KEY={key}").replace("https://collect.example", url)
    await run(place, packages, "sh", "-ec", shell)
    for language, command, names in (
        ("python", (sys.executable, "-c"), f"KEY, user_id = {key!r}, {user!r}\n"),
        ("js", ("node", "--input-type=module", "-e"), f"const KEY = {key!r}, userId = {user!r}\n"),
    ):
        await run(
            place, packages, *command, names + example(language).replace("https://collect.example", url)
        )

    async def all_there() -> bool:
        return len(await running.events()) == 6

    await until(all_there)
    async with Redis.from_url(running.settings.redis_url, protocol=2) as redis:
        holdings = Holdings(redis, running.names, running.parts.catalogue)
        history = [held.event async for held in person(holdings, Person(user=user, visitor="v1"))]
    told = [
        (each["source"]["channel"], each["type"], each.get("event") or each.get("name")) for each in history
    ]
    assert told[::-1] == [
        ("Web", "page", "Prices"),
        ("Web", "identify", None),
        ("Call Center", "identify", None),
        *[("Call Center", "track", "Call Ended")] * 3,
    ]
    assert place.asked == set()
