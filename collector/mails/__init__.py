"""Mails: links, pixel and unsubscribe made ours, every other byte left alone. Pure functions, no I/O."""

from collector.mails.html import instrument_html
from collector.mails.many import as_json, instrument_many, read_mail, read_recipients
from collector.mails.message import instrument_message
from collector.mails.text import instrument_text
from collector.mails.tracking import Tracking

__all__ = [
    "Tracking",
    "as_json",
    "instrument_html",
    "instrument_many",
    "instrument_message",
    "instrument_text",
    "read_mail",
    "read_recipients",
]
