"""Bodies that their senders have packed, by gzip or zstd: a mark at their beginning tells, as in no text."""

from __future__ import annotations

from collector.bridges.request import inflate
from collector.model import Reason, Refusal
from collector.zstd import zstd_library

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"

_WINDOW_LOG = 23  # 8 MB of what came before, as the web agreed on (RFC 9659)


def unpacked(body: bytes, limit: int) -> tuple[bytes, Refusal | None]:
    """Return a body, unpacked if it is packed; or as much of it as may be, and why it cannot be read."""
    if len(body) > limit:
        return body[:limit], Refusal(Reason.TOO_LARGE, f"The limit is {limit} bytes; the rest is cut off.")
    try:
        if body.startswith(_GZIP):
            return inflate(body, "gzip", limit), None
        return (_from_zstd(body, limit) if body.startswith(_ZSTD) else body), None
    except Refusal as refusal:
        return body, refusal


def _from_zstd(body: bytes, limit: int) -> bytes:
    """Return what a frame holds, never holding more than the limit. Raises Refusal."""
    zstd = zstd_library()
    if zstd is None:
        raise Refusal(Reason.UNKNOWN_ENCODING, "For zstd: pip install 'headwater[zstd]'.")
    inflater = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})
    try:
        data: bytes = inflater.decompress(body, limit + 1)
    except zstd.ZstdError:
        raise Refusal(Reason.BAD_ENCODING) from None
    if len(data) > limit:
        raise Refusal(Reason.INFLATED_TOO_LARGE, f"The limit is {limit} bytes.")
    if not inflater.eof:
        raise Refusal(Reason.BAD_ENCODING, "It ends too early.")
    return data
