"""A plain statement of what a source collects, keeps and for how long, ready for a privacy page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.sources.features import can_opt_out

if TYPE_CHECKING:
    from collector.model import Source

_VISITORS = {
    "cookieless": (
        "No cookie is set and nothing is stored on the visitor's device. Visits of one day are told apart by"
        " a number computed from the website, the shortened network address and the browser's name, with a"
        " random key that is destroyed after two days. From then on nobody can compute the number again,"
        " and the visits of two days cannot be joined."
    ),
    "cookie": (
        "A first-party cookie with a random number tells visitors apart. It lasts at most 13 months and is"
        " not renewed by later visits."
    ),
    "anonymous": "Visitors are not told apart: events carry no number, no session and no name.",
}
_ADDRESS = {
    "none": "The network address is used to receive the data and is not stored.",
    "network": "Of the network address only the first part is stored (/24 of IPv4, /48 of IPv6).",
}
_SIGNAL = {
    "record": "is noted with the data",
    "anonymous": "makes the data anonymous: no visitor number, no session, no address",
    "drop": "stops the collection",
}
_CONSENT = {
    ("none", "nothing"): "Collection does not depend on consent.",
    ("none", "views"): "Collection does not depend on consent.",
    ("required", "nothing"): "Nothing is collected before the visitor consents.",
    ("required", "views"): "Before the visitor consents only page views that name nobody are counted.",
}
_MAILS = {
    True: "Opens and clicks are counted. Whose they were is kept only of recipients who have consented, and"
    " no longer once they withdraw, in mails already sent too.",
    False: "Opens and clicks are kept with their recipient, and only counted once a recipient withdraws, in"
    " mails already sent too.",
}
_REWRITTEN = {
    "hash": "Stored only as a hash",
    "mask": "Stored masked but for the end",
    "shorten": "Stored with the first four characters only",
}
_CNIL = (
    "This measurement is held to conditions under which the CNIL exempts audience measurement from consent:"
    " for the publisher alone, no following across websites, a visitor number of at most 13 months that is"
    " not renewed, data of at most 25 months, and a way to object."
)


def statement(source: Source) -> list[tuple[str, str]]:
    """Return the statement of a source as headings with their sentences."""
    privacy = source.privacy
    parts = [
        ("What is collected", _collected(source)),
        ("How visitors are told apart", _VISITORS[privacy.visitors]),
        ("Network address", _ADDRESS[privacy.address]),
        ("Addresses of pages", _pages(source)),
        *(
            [("Details of events", _details(source))]
            if privacy.remove or privacy.values or privacy.scan
            else ()
        ),
        ("Consent", _CONSENT[privacy.consent, privacy.before_consent]),
        ("Objection", _objection(source)),
        ("How long", f"{_span(source.retention_hours)} in the event stream, then deleted there."),
    ]
    if source.bridge == "email":
        parts[4] = ("Consent", _MAILS[privacy.preset == "cnil" or privacy.consent == "required"])
    return [*parts, ("Conditions", _CNIL)] if privacy.preset == "cnil" else parts


def _collected(source: Source) -> str:
    told = "Events of this website: pages, interactions, language, screen, "
    agent = "" if "agent" in source.enrichment.off else "browser, system and kind of device, "
    place = "" if "place" in source.enrichment.off else "the place that the network address belongs to, "
    return f"{told}{agent}{place}and where the visitor came from."


def _pages(source: Source) -> str:
    named = source.privacy.parameters
    kept = "with all their parameters" if "*" in named else ", ".join(["with campaign parameters", *named])
    hidden = "E-mail addresses, phone and card numbers and tokens in them are removed before storage."
    return f"Addresses of pages are stored {kept} and without the rest. {hidden}"


def _details(source: Source) -> str:
    privacy = source.privacy
    told = []
    for how, kept in _REWRITTEN.items():
        if names := [name for name, action in privacy.values.items() if action == how]:
            told.append(f"{kept}: {', '.join(names)}.")
    told += [f"Never stored: {', '.join(privacy.remove)}."] if privacy.remove else []
    told += ["E-mail addresses, phone and card numbers and tokens are removed."] if privacy.scan else []
    return " ".join(told)


def _objection(source: Source) -> str:
    privacy = source.privacy
    dnt = "" if privacy.dnt == "ignore" else f" Do Not Track {_SIGNAL[privacy.dnt]}."
    opts_out = source.bridge == "web" and can_opt_out(source.settings)
    link = " A link on the website can switch the collection off for a browser." if opts_out else ""
    return f"Global Privacy Control {_SIGNAL[privacy.gpc]}.{dnt}{link}"


def _span(hours: int) -> str:
    return f"{hours // 24} days" if hours % 24 == 0 else f"{hours} hours"
