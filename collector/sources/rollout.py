"""What an older tracker must be like, so that some visitors can run it while a new one is rolled out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.sources.form import SourceError
from collector.sources.tracker_token import NO_TOKEN
from collector.store.trackers import TrackerArchive

if TYPE_CHECKING:
    from collector.model import Source
    from collector.store import Names, Redis


async def require_older(redis: Redis, names: Names, old: Source | None, new: Source) -> None:
    """Raise SourceError when the older tracker that a change names cannot stand beside the new one.

    A change of anything else passes: what was forgotten meanwhile must not keep a source from being stopped.
    """
    if new.bridge != "web" or not new.settings.staged or _told(old) == _told(new):
        return
    older = new.settings.older
    body = await TrackerArchive(redis, names).recall(new.id, older)
    if body is None:
        raise SourceError(
            f"No tracker of {new.id!r} with the digest {older!r} is remembered; those that were served are. "
            f"List them with: headwater tracker show {new.id}"
        )
    if new.settings.token == "refuse" and NO_TOKEN not in body:  # noqa: S105 - a choice, no secret
        raise SourceError(
            f"The older tracker {older} of {new.id!r} sends no token, so its hits would be refused: "
            "set token to flag, or rollout to 100."
        )


def _told(source: Source | None) -> tuple[str, str, bool] | None:
    if source is None or source.bridge != "web":
        return None
    return source.settings.older, source.settings.token, source.settings.staged
