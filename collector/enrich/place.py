"""Where the client is: by a database, a proxy's header, else guessed from time zone or language.

The network address is looked up and forgotten; only the place stays.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import structlog

from collector.enrich.client import LONGEST_ADDRESS
from collector.enrich.data import facts
from collector.model import BROWSER_BRIDGES, PlainError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from collector.model import Hit

log = structlog.get_logger()

_EVERY_SECONDS = 10
_CACHED = 8192
_LONGEST = 100  # of a region or city in a header
_REGION = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?-([A-Z]{2})(?:-|$)")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NOWHERE = {"XX", "T1"}  # what CDNs say for unknown and for Tor


class PlaceError(PlainError):
    """A place database cannot be used; the message says why."""


class Places:
    """The place step of a collector, over databases that are opened anew when their files change."""

    def __init__(self, files: tuple[Path, ...] = (), header: str = "") -> None:
        self._files = files
        self._headers = [name.strip() for name in header.split(",")] if header else []
        self._seen: list[tuple[int, int]] = []
        self._readers: list[Any] = []
        self.forget()
        if files:
            self.open()

    def step(self, context: dict[str, Any], hit: Hit) -> dict[str, Any]:
        """Tell location; ``by`` says how it is known."""
        browser = hit.source.bridge in BROWSER_BRIDGES
        address = hit.address if browser and not hit.archived else context.get("ip")
        if self._readers and isinstance(address, str) and len(address) <= LONGEST_ADDRESS:
            found = self._look_up(address)
            if found:
                return {"location": found}
        if self._headers and hit.proxied and (named := _named(self._headers, hit.headers)):
            return {"location": named}
        return {"location": _guess(context.get("timezone"), context.get("locale"))} if browser else {}

    def open(self) -> None:
        """Open the databases. Raises PlaceError with one sentence."""
        try:
            import maxminddb  # noqa: PLC0415 - an extra
        except ImportError:
            raise PlaceError("place_databases needs the extra: pip install 'headwater[place]'.") from None
        try:
            seen = self._stamps()
            readers = [maxminddb.open_database(file) for file in self._files]
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            raise PlaceError(f"A place database cannot be opened: {error}.") from None
        self._seen, self._readers = seen, readers
        self.forget()

    def forget(self) -> None:
        """Forget which addresses were looked up."""
        self._look_up: Callable[[str], dict[str, Any]] = lru_cache(_CACHED)(self._read)

    async def run(self) -> None:
        """Look for changed files until cancelled; a bad one leaves the old one in use."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await asyncio.to_thread(self.refresh)

    def refresh(self) -> None:
        """Open the databases anew if a file has changed."""
        try:
            if self._files and self._stamps() != self._seen:
                self.open()
                log.info("place_databases_opened")
        except (OSError, PlaceError) as error:
            log.warning("place_databases_stay", error=str(error))

    def _stamps(self) -> list[tuple[int, int]]:
        return [(status.st_mtime_ns, status.st_ino) for status in (file.stat() for file in self._files)]

    def _read(self, address: str) -> dict[str, Any]:
        """Return what the databases know of an address. The result is shared: never change it."""
        told: dict[str, Any] = {}
        for reader in self._readers:
            try:
                record = reader.get(address)
            except ValueError:  # no address, or IPv6 in a database of IPv4
                continue
            if isinstance(record, dict):
                told |= _told(record)
        return {**told, "by": "address"} if told else {}


def _told(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return country, region, city and network operator of a record, in MaxMind's form or a flat one."""
    subdivisions = record.get("subdivisions")
    region = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else {}
    told = {
        "country": record.get("country_code") or _of(record.get("country"), "iso_code"),
        "region": record.get("state1") or _of(region, "iso_code"),
        "city": _of(_of(record.get("city"), "names"), "en") or _text(record.get("city")),
        "asn": record.get("autonomous_system_number"),
        "operator": record.get("autonomous_system_organization"),
    }
    return {key: value for key, value in told.items() if value}


def _of(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _country(text: str) -> str | None:
    return text if _COUNTRY.fullmatch(text) and text not in _NOWHERE else None


def _named(names: list[str], headers: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the country of the first header, with the region and the city of those after it."""
    country = _country(headers.get(names[0], ""))
    if not country:
        return None
    finer = zip(("region", "city"), names[1:], strict=False)
    told = {key: unquote(headers.get(name, ""), errors="replace")[:_LONGEST] for key, name in finer}
    return {"country": country, **{key: value for key, value in told.items() if value}, "by": "header"}


def _guess(timezone: Any, locale: Any) -> dict[str, str] | None:
    """Return the country of a time zone, else of a language's region."""
    zone = facts("zones")["countries"].get(timezone) if isinstance(timezone, str) else None
    if zone:
        return {"country": zone, "by": "timezone"}
    region = _REGION.match(locale) if isinstance(locale, str) else None
    return {"country": region[1], "by": "language"} if region else None
