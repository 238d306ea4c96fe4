"""Short links for print, QR codes and SMS: a target kept under a short id that nobody can guess."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from collector.links import LinkError, check_target
from collector.sources.email import email_source

if TYPE_CHECKING:
    from collector.model import Source
    from collector.store.mirror import Mirror

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no characters that people mistake for each other
_ID_LENGTH = 10  # 31^10: with all links made, one guess in ten thousand million finds one
_MOST = 100_000  # each collector holds all of them in memory
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class ShortLink:
    """A link of a source; ``label`` says where it is printed or sent."""

    id: str
    source: str
    target: str
    label: str
    created: str


class ShortLinks:
    """All short links, as of the last change read."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    def find(self, link_id: str) -> ShortLink | None:
        """Return the link with this id; asks nobody."""
        raw = self._mirror.get(link_id)
        return ShortLink(**orjson.loads(raw)) if raw else None

    def get(self, link_id: str) -> ShortLink:
        """Return the link with this id. Raises LinkError when there is none."""
        link = self.find(link_id)
        if link is None:
            raise _unknown(link_id)
        return link

    def of(self, source: str) -> list[ShortLink]:
        """Return the links of a source, the oldest first."""
        links = (ShortLink(**orjson.loads(raw)) for raw in self._mirror.values())
        return sorted((link for link in links if link.source == source), key=lambda link: link.created)

    async def add(self, source: Source, target: str, label: str = "") -> ShortLink:
        """Make a link. Raises LinkError when it may not lead there."""
        check_target(target, email_source(source).settings.hosts)
        if len(label) > _LONGEST_LABEL or not label.isprintable():
            raise LinkError(f"A label may have {_LONGEST_LABEL} printable characters.")
        if len(self._mirror) >= _MOST:
            raise LinkError(f"There are {_MOST} short links already. Remove old ones.")
        name = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
        created = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        link = ShortLink(name, source.id, target, label, created)
        await self._mirror.put({name: orjson.dumps(asdict(link))})
        return link

    async def remove(self, link_id: str) -> None:
        """Forget a link. Raises LinkError when there is none."""
        if not await self._mirror.remove([link_id]):
            raise _unknown(link_id)


def _unknown(link_id: str) -> LinkError:
    return LinkError(f"No short link has the id {link_id!r}. List them with: headwater link list")
