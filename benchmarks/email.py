"""What mails cost: signing the links of one, and instrumenting a responsive one of 18 kB."""

from __future__ import annotations

import gc
import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import mrml

from collector.links import Signer
from collector.mails import Tracking, instrument_html, instrument_many, instrument_message

if TYPE_CHECKING:
    from collections.abc import Callable

_NEWSLETTER = Path(__file__).parent.parent / "tests" / "mails" / "newsletter.mjml"
_BYTES = 18_000
_LINKS = 10  # of a typical mail, beside its pixel and its unsubscribe
_SECONDS = 1.0
_ROUNDS = 3
_SIGNER = Signer("k2345678", "s" * 43, "news")
_RECIPIENT = "b3f0c2d49a7e41d8"


def main() -> None:
    """Print mails a second of one core, the best of three rounds of a second each."""
    mail = _mail()
    message = b"Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + mail.encode()
    recipients = [(f"{number:016x}", False) for number in range(100)]
    works: dict[str, tuple[Callable[[], object], int]] = {
        f"signing {_LINKS} links, pixel and unsubscribe": (_sign, 1),
        "instrumenting an HTML mail of 18 kB": (lambda: instrument_html(mail, _tracking()), 1),
        "the same of one template for many": (
            lambda: list(instrument_many(mail.encode(), "html", _tracking(), recipients)),
            len(recipients),
        ),
        "the same as a MIME message": (lambda: instrument_message(message, _tracking()), 1),
    }
    now = datetime.now(UTC).date().isoformat()
    print(f"{now}, Python {platform.python_version()}, {platform.machine()}, mails a second of one core:")
    for name, (work, mails) in works.items():
        print(f"| {name} | {max(_rate(work) for _ in range(_ROUNDS)) * mails:,.0f} |")


def _mail() -> str:
    """Return the newsletter of the tests as designers' tools write it, with text up to 18 kB."""
    text = str(mrml.to_html(_NEWSLETTER.read_text(encoding="utf-8")).content)
    words = "Spring is here. " * ((_BYTES - len(text)) // 16)
    return text.replace("</body>", f"<p>{words}</p></body>")


def _tracking() -> Tracking:
    parameters = {"utm_source": "news", "utm_medium": "email", "utm_campaign": "spring"}
    return Tracking(_SIGNER, "https://t.shop.example", "spring-2027", _RECIPIENT, parameters=parameters)


def _sign() -> tuple[str, str]:
    tracking = _tracking()
    for number in range(_LINKS):
        tracking.link(f"https://shop.example/spring/shoes/{number}?size=42")
    return tracking.pixel, tracking.unsubscribe


def _rate(work: Callable[[], object]) -> float:
    """Return how often work is done in a second of processor time."""
    gc.collect()
    done, start = 0, time.process_time()
    while time.process_time() - start < _SECONDS:
        work()
        done += 1
    return done / (time.process_time() - start)


if __name__ == "__main__":
    main()
