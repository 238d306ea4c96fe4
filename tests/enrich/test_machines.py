"""Machines that open mails and follow links: each known manner has its label, people have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from multidict import CIMultiDict

from collector.enrich import machines
from tests.conftest import hit

if TYPE_CHECKING:
    from collector.model import Hit

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
CHROME += "Safari/537.36"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GMAIL_AT_ONCE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
GMAIL_AT_ONCE += "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE += " Mobile/15E148"
OUTLOOK = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; Microsoft Outlook 16.0.5134;"
OUTLOOK += " ms-office; MSOffice 16)"
SAFE = "https://eur01.safelinks.protection.outlook.com/?url=x"


def of_mail(**headers: str) -> Hit:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return hit(method="GET", headers=CIMultiDict(named))


@pytest.mark.parametrize(
    ("headers", "kind", "confidence"),
    [
        ({"User_Agent": "Mozilla/5.0"}, "apple_mpp", "high"),
        ({"User_Agent": GMAIL}, "gmail_proxy", "low"),
        ({"User_Agent": GMAIL_AT_ONCE}, "gmail_prefetch", "high"),
        ({"User_Agent": "SafeLinks/1.0"}, "safelinks", "high"),
        ({"User_Agent": CHROME, "Referer": SAFE}, "safelinks", "low"),
        ({"User_Agent": "BarracudaCentral/1.0"}, "barracuda", "high"),
        ({"User_Agent": CHROME, "Referer": "https://linkprotect.cudasvc.com/url?a=b"}, "barracuda", "low"),
        ({"User_Agent": "Mozilla/5.0 Proofpoint"}, "proofpoint", "high"),
        ({"User_Agent": CHROME, "Referer": "https://urldefense.com/v3/x"}, "proofpoint", "low"),
        ({"User_Agent": "Mimecast-URL-Protect"}, "mimecast", "high"),
        ({"User_Agent": CHROME, "Referer": "https://protect-eu.mimecast.com/s/x"}, "mimecast", "low"),
        ({"User_Agent": CHROME, "Sec_Purpose": "prefetch;prerender"}, "prefetch", "high"),
        ({"User_Agent": CHROME, "Purpose": "prefetch"}, "prefetch", "high"),
        ({"User_Agent": CHROME, "X_Purpose": "preview"}, "prefetch", "high"),
        ({"User_Agent": CHROME, "X_Moz": "Prefetch"}, "prefetch", "high"),
        ({"User_Agent": "facebookexternalhit/1.1"}, "preview", "high"),
        ({"User_Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}, "preview", "high"),
        ({"User_Agent": "WhatsApp/2.23.20.0"}, "preview", "high"),
        ({"User_Agent": "TelegramBot (like TwitterBot)"}, "preview", "high"),
        ({"User_Agent": "LinkedInBot/1.0"}, "preview", "high"),
        ({"User_Agent": "python-requests/2.31"}, "bot", "high"),
        ({}, "unknown", "medium"),
    ],
)
def test_a_machine_is_labelled(headers: dict[str, str], kind: str, confidence: str) -> None:
    label = machines.label(of_mail(**headers), "open")

    assert label == {"kind": kind, "confidence": confidence, "version": machines.version()}


@pytest.mark.parametrize(
    "agent",
    [
        CHROME,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
        IPHONE,
        OUTLOOK,
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
    ],
)
def test_a_person_has_no_label(agent: str) -> None:
    assert machines.label(of_mail(User_Agent=agent), "open") is None


def test_a_head_request_is_a_machines() -> None:
    label = machines.label(hit(method="HEAD", headers=CIMultiDict({"User-Agent": CHROME})), "click")

    assert label is not None
    assert label["kind"] == "head"


def test_apples_proxy_opens_and_does_not_click() -> None:
    label = machines.label(of_mail(User_Agent="Mozilla/5.0"), "click")

    assert label is not None
    assert label["kind"] == "bot"


@pytest.mark.parametrize(
    "referrer", ["http://[", "https://evilmimecast.com/", "https://x/?mimecast.com", "é"]
)
def test_a_referrer_that_only_looks_like_a_gateway_is_none(referrer: str) -> None:
    assert machines.label(of_mail(User_Agent=CHROME, Referer=referrer), "click") is None
