"""Instrument a whole MIME message: its HTML and text parts, and the headers of the unsubscribe.

Sign with DKIM afterwards: a signature made before covers what is changed here.
"""

from __future__ import annotations

import base64
import quopri
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from collector.links import LinkError
from collector.mails.html import LONGEST, instrument_html
from collector.mails.text import instrument_text

if TYPE_CHECKING:
    from email.message import Message

    from collector.mails.tracking import Tracking

_KINDS = {"text/html": instrument_html, "text/plain": instrument_text}
_SEALED = {"multipart/signed", "multipart/encrypted", "application/pkcs7-mime"}


def instrument_message(data: bytes, tracking: Tracking) -> bytes:
    """Return the message with tracked links. Raises LinkError when it is sealed, too large or unreadable."""
    if len(data) > LONGEST:
        raise LinkError(f"A mail may have {LONGEST} bytes.")
    message = message_from_bytes(data, policy=policy.compat32)
    for part in message.walk():
        if part.get_content_type() in _SEALED:
            raise LinkError("The mail is signed or encrypted: its links cannot be changed.")
        if part.get_content_type() in _KINDS and part.get_content_disposition() != "attachment":
            _instrument_part(part, tracking)
    if "List-Unsubscribe" not in message:
        message["List-Unsubscribe"] = f"<{tracking.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    linesep = "\r\n" if b"\r\n" in data else "\n"
    try:
        return message.as_bytes(policy=policy.compat32.clone(max_line_length=None, linesep=linesep))
    except ValueError:
        raise LinkError("The mail cannot be written again: a part of it is not in its charset.") from None


def _instrument_part(part: Message[str, str], tracking: Tracking) -> None:
    charset = part.get_content_charset("us-ascii")
    body: Any = part.get_payload(decode=True)
    try:
        old = body.decode(charset)
        new = _KINDS[part.get_content_type()](old, tracking)
        content = new.encode(charset)
    except (LookupError, ValueError):  # an unknown charset, another one, or one that no mail may name
        raise LinkError(f"A part of the mail is not the {charset!r} that it says.") from None
    if new == old:
        return
    encoded = str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64"
    part.set_payload((base64.encodebytes if encoded else quopri.encodestring)(content).decode("ascii"))
    del part["Content-Transfer-Encoding"]
    part["Content-Transfer-Encoding"] = "base64" if encoded else "quoted-printable"
