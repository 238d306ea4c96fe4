"""Archives: what other systems have kept, read as the hits that it once was. One format a file, all pure."""

from collector.archives import access_log, goatcounter, matomo, messages, snowplow
from collector.archives.item import Format, Item
from collector.archives.opening import ArchiveError, Opened, digest

__all__ = ["FORMATS", "ArchiveError", "Format", "Item", "Opened", "digest"]

FORMATS: dict[str, Format] = {
    **messages.FORMATS,
    **snowplow.FORMATS,
    **matomo.FORMATS,
    **goatcounter.FORMATS,
    **access_log.FORMATS,
}
