"""A new version of a tracker for a share of visitors: both in one file, between which browsers choose.

The file is the same for everybody, so caches keep it as they keep any; together the two compress to little
more than one, since they are nearly alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import jinja2

from collector.assets import asset

if TYPE_CHECKING:
    from collector.model import Source


def staged(newer: bytes, older: bytes, source: Source) -> bytes:
    """Return the file that runs the newer version for the source's share of visitors, else the older one."""
    privacy = source.privacy
    # Before consent nothing may be kept, and what was chosen would have to be asked for again with it.
    kept = privacy.visitors == "cookie" and privacy.consent == "none"
    kept = kept and not source.settings.options.get("memory")
    return _joined(newer, older, source.settings.rollout, kept)


@lru_cache(256)
def _joined(newer: bytes, older: bytes, share: int, kept: bool) -> bytes:  # noqa: FBT001 - a key of the cache
    text = _template().render(newer=newer.decode(), older=older.decode(), share=share, kept=kept)
    return text.strip().encode()


@lru_cache(1)
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(asset("templates"))
    environment = jinja2.Environment(loader=loader)  # noqa: S701 - JavaScript: trackers that were rendered here
    return environment.get_template("staged.js.j2")
