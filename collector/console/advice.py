"""What to do about a refusal: one sentence for each reason, and the tab of the source where it is done."""

from __future__ import annotations

from collector.model import Reason

_SENDER = "Correct what sends it; its answer names the event."
_LIMITS = "Send less at once, or raise the limit in the collector's settings."

# The sentence, and the tab that it is done at; none when it is done elsewhere.
_ADVICE: dict[Reason, tuple[str, str]] = {
    Reason.NOT_FOUND: ("Compare the address with the one under Install.", "install"),
    Reason.METHOD_NOT_ALLOWED: ("Compare the method with the one under Install.", "install"),
    Reason.BAD_REQUEST: (_SENDER, ""),
    Reason.UNKNOWN_SOURCE: ("Compare the id in the address with the one under Install.", "install"),
    Reason.SOURCE_DISABLED: ("Switch the source on.", "settings"),
    Reason.UNKNOWN_KEY: ("Give the sender a key of this source; one that ended is replaced.", "keys"),
    Reason.BAD_SIGNATURE: ("Copy the provider's secret once more; beware of spaces at its ends.", "settings"),
    Reason.STALE_SIGNATURE: ("Set the clock of the sender, or of this machine.", ""),
    Reason.BAD_LINK: (
        "See whether the mail changed the link, or it is older than the keys.",
        "keys",
    ),
    Reason.TRAPPED: ("Nothing: a robot filled in a field that people do not see.", ""),
    Reason.RATE_LIMITED: (
        "If this sender is welcome, raise the rates in the collector's settings, or the source's per_minute.",
        "",
    ),
    Reason.OVERLOADED: ("Add workers or machines.", ""),
    Reason.SAMPLED: ("As for overloaded; what was kept carries its rate in collector.sampled.", ""),
    Reason.QUOTA_EXCEEDED: ("Raise the source's quota, or wait for the next day or month.", "settings"),
    Reason.ORIGIN_FORBIDDEN: ("If the site is yours, add its origin to the allowed ones.", "settings"),
    Reason.BAD_TOKEN: (
        "Load the tracker from its stable address; a pinned tag or a pixel carries no token.",
        "install",
    ),
    Reason.CONSENT_MISSING: (
        "Ask for consent on the site, or do without it under Privacy.",
        "settings",
    ),
    Reason.TOO_LARGE: (_LIMITS, ""),
    Reason.INFLATED_TOO_LARGE: (_LIMITS, ""),
    Reason.UNKNOWN_ENCODING: ("Let the sender compress with gzip or deflate, or not at all.", ""),
    Reason.BAD_ENCODING: ("Look what changes the body on its way, such as a proxy.", ""),
    Reason.BODY_TIMEOUT: ("Look at the sender's line; a phone in a tunnel is no fault.", ""),
    Reason.EMPTY_BODY: (_SENDER, ""),
    Reason.BAD_LINE: (
        "See whether --format names the archive's format; --refused keeps such lines to look at.",
        "",
    ),
    Reason.NOT_UTF8: (_SENDER, ""),
    Reason.NOT_JSON: (_SENDER, ""),
    Reason.NOT_A_NUMBER: (_SENDER, ""),
    Reason.TOO_DEEP: (_SENDER, ""),
    Reason.TOO_MANY_PARTS: ("Send less at once.", ""),
    Reason.NOT_AN_OBJECT: (_SENDER, ""),
    Reason.NOT_A_LIST: (_SENDER, ""),
    Reason.TOO_MANY_EVENTS: (_LIMITS, ""),
    Reason.EVENT_TOO_LARGE: (_LIMITS, ""),
    Reason.UNKNOWN_TYPE: (_SENDER, ""),
    Reason.MISSING_FIELD: (_SENDER, ""),
    Reason.WRONG_TYPE: (_SENDER, ""),
    Reason.FIELD_TOO_LONG: (_SENDER, ""),
    Reason.OPTED_OUT: (
        "Nothing: the visitor does not want it, or privacy leaves nothing.",
        "privacy",
    ),
    Reason.SCHEMA: ("Correct the sender, or the schema of the event.", "settings"),
    Reason.SUPPRESSED: ("Nothing, or take it off the suppression list.", "settings"),
    Reason.RULE: ("Nothing, or change the rule.", "settings"),
    Reason.BOT: ("Nothing, or keep the events of bots.", "settings"),
    Reason.TRACKER_UNAVAILABLE: ("Look at Health; or end the roll-out: set it to 100.", "settings"),
    Reason.STREAM_UNAVAILABLE: ("Look at Health: neither Redis nor the spool takes events.", ""),
    Reason.INTERNAL: ("Look at the collector's log and report the fault.", ""),
}
_BY_CODE = {reason.code: reason for reason in Reason}


def advice(code: str) -> tuple[str, str, str]:
    """Return what a reason means, what to do about it, and the tab where that is done, if it is one."""
    reason = _BY_CODE.get(code)
    if reason is None:
        return "", "", ""
    return reason.help, *_ADVICE.get(reason, ("", ""))
