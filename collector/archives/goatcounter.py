"""GoatCounter's export: a row of CSV for each page view or event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.archives.item import Format, Item, moment
from collector.model import Reason, Refusal
from collector.protocols import native

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACED = {"Title", "Event", "Session", "Referrer", "Date", "UserAgent"}
_PERSON = {"", "0"}
_URL = {"h", ""}  # of the schemes of referrers; others are names that GoatCounter made


def _row(row: Mapping[str, str], site: str) -> Item:
    path_column = next((name for name in row if name.endswith("Path")), "")  # its version stands before it
    path = row.get(path_column, "")
    if not path or "Date" not in row:
        raise Refusal(Reason.MISSING_FIELD, "A row has a path and a date.")
    happened = row.get("Event") == "true"
    page = {"title": row.get("Title"), "referrer": _referrer(row)}
    page |= {} if happened else {"url": site + path} if site else {"path": path}
    item: dict[str, Any] = {
        "type": "track" if happened else "page",
        "sessionId": row.get("Session"),
        "anonymousId": row.get("Session"),
        "timestamp": row["Date"],
        "context": {
            "page": {key: value for key, value in page.items() if value},
            "goatcounter": {key: row[key] for key in row if key not in {path_column, *_PLACED} and row[key]},
        },
    }
    if happened:
        item["event"] = path
    if row.get("Bot", "0") not in _PERSON:
        item["context"]["automation"] = "archive"
    if row.get("UserAgent"):
        item["context"]["userAgent"] = row["UserAgent"]
    return Item(native.archived(item, "goatcounter"), moment(row["Date"]))


def _referrer(row: Mapping[str, str]) -> str:
    """Return the referrer as an address; GoatCounter keeps it without the scheme."""
    told = row.get("Referrer", "")
    if not told or row.get("Referrer scheme", "") not in _URL:
        return ""
    return told if "://" in told else f"https://{told}"


FORMATS = {"goatcounter": Format("GoatCounter's export, as CSV", "rows", _row)}
