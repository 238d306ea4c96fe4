"""Campaigns, referrers and channel groups, by tables."""

from __future__ import annotations

from typing import Any

import pytest

from collector.enrich import campaign, channels, enrich_context, paid, referrer
from collector.model import Enrichment
from tests.conftest import hit, web_source

OWN = "https://www.shop.example/a"


@pytest.mark.parametrize(
    ("search", "told"),
    [
        ("", None),
        ("?q=1&page=2", None),
        ("?utm_source=a&utm_medium=b&utm_campaign=c", {"source": "a", "medium": "b", "name": "c"}),
        ("?utm_term=t&utm_content=o&utm_id=7", {"term": "t", "content": "o", "id": "7"}),
        (
            "?utm_source_platform=p&utm_creative_format=f&utm_marketing_tactic=t",
            {"platform": "p", "format": "f", "tactic": "t"},
        ),
        ("?mtm_campaign=c&mtm_kwd=k&mtm_placement=p", {"name": "c", "term": "k", "placement": "p"}),
        ("?pk_campaign=c&pk_kwd=k", {"name": "c", "term": "k"}),
        ("?at_medium=email&at_campaign=c&at_platform=p", {"medium": "email", "name": "c", "source": "p"}),
        ("?gclid=x1&wbraid=x2", {"clickIds": {"gclid": "x1", "wbraid": "x2"}}),
        ("?li_fat_id=1&ttclid=2&twclid=3", {"clickIds": {"li_fat_id": "1", "ttclid": "2", "twclid": "3"}}),
        ("?utm_source=first&utm_source=second", {"source": "first"}),
        ("?utm_source=caf%C3%A9+ol%C3%A9", {"source": "café olé"}),
        ("?utm_source=%ff%fe", {"source": "\ufffd\ufffd"}),
        ("?utm_source=" + "x" * 9999, {"source": "x" * 512}),
        ("?utm_source=a" + "&b=c" * 200, None),
    ],
)
def test_a_campaign_is_read_from_the_pages_address(search: str, told: Any) -> None:
    assert campaign.step({"page": {"search": search}}, hit()).get("campaign") == told


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", {"medium": "direct"}),
        ("https://www.google.com/", {"medium": "search", "source": "Google"}),
        ("https://www.google.co.uk/search?q=red+shoes", {"source": "Google", "term": "red shoes"}),
        ("https://google.de/", {"medium": "search", "source": "Google"}),
        ("https://m.baidu.com/s?word=x", {"medium": "search", "source": "Baidu", "term": "x"}),
        ("https://duckduckgo.com/", {"medium": "search", "source": "DuckDuckGo"}),
        ("https://evil-google.com/", {"medium": "other", "source": "evil-google.com"}),
        ("https://google.com.evil.example/", {"medium": "other", "source": "google.com.evil.example"}),
        ("https://l.facebook.com/l.php?u=x", {"medium": "social", "source": "Facebook"}),
        ("https://t.co/abc", {"medium": "social"}),
        ("https://chatgpt.com/", {"medium": "ai", "source": "ChatGPT"}),
        ("https://www.perplexity.ai/search", {"medium": "ai", "source": "Perplexity"}),
        ("https://claude.ai/chat/1", {"medium": "ai", "source": "Claude"}),
        ("https://gemini.google.com/app", {"medium": "ai", "source": "Gemini"}),
        ("https://mail.google.com/mail", {"medium": "email", "source": "Gmail"}),
        ("android-app://com.google.android.gm/", {"medium": "email", "source": "Gmail"}),
        ("https://shop.example/b", {"medium": "internal"}),
        ("https://help.shop-family.example/", {"medium": "internal"}),
        ("https://blog.example/post", {"medium": "other", "source": "blog.example"}),
        ("https://semalt.com/", {"medium": "other", "source": "semalt.com", "spam": True}),
        ("https://10.semalt.com/", {"medium": "other", "source": "10.semalt.com", "spam": True}),
        ("http://[::1", {"medium": "direct"}),
        ("http://[::1]:8080/", {"medium": "other", "source": "::1"}),
        ("https://user:pass@www.Google.com:443/", {"medium": "search", "source": "Google"}),
        ("https://evil.example\\@www.google.com/", {"medium": "other", "source": "evil.example"}),
        ("https://www.google.com?q=red", {"medium": "search", "term": "red"}),
        ("not an address", {"medium": "direct"}),
        ("https://" + "a." * 5000, {"medium": "other"}),
        (7, {"medium": "direct"}),
    ],
)
def test_a_referrer_has_medium_and_source(address: Any, told: dict[str, Any]) -> None:
    source = web_source(enrichment=Enrichment(own_hosts=("shop-family.example",)))

    answer = referrer.step({"page": {"url": OWN, "referrer": address}}, hit(source=source))["referrer"]

    assert told == {key: answer.get(key) for key in told}


def test_an_event_without_a_page_has_no_referrer() -> None:
    assert referrer.step({}, hit()) == {"referrer": None}


@pytest.mark.parametrize(
    ("query", "address", "group"),
    [
        ("", "", "Direct"),
        ("", "https://shop.example/", "Direct"),
        ("", "https://www.google.com/", "Organic Search"),
        ("", "https://www.facebook.com/", "Organic Social"),
        ("", "https://www.youtube.com/", "Organic Video"),
        ("", "https://www.amazon.com/", "Organic Shopping"),
        ("", "https://chatgpt.com/", "AI Assistant"),
        ("", "https://mail.google.com/", "Email"),
        ("", "https://blog.example/", "Referral"),
        ("gclid=1", "https://www.google.com/", "Paid Search"),
        ("msclkid=1", "", "Paid Search"),
        ("fbclid=1", "", "Organic Social"),
        ("ttclid=1", "", "Paid Social"),
        ("utm_source=google&utm_medium=cpc", "", "Paid Search"),
        ("utm_source=Google&utm_medium=CPC", "", "Paid Search"),
        ("utm_source=facebook&utm_medium=paid-social", "", "Paid Social"),
        ("utm_source=ig&utm_medium=social", "", "Organic Social"),
        ("utm_source=youtube&utm_medium=video", "", "Organic Video"),
        ("utm_source=youtube&utm_medium=cpc", "", "Paid Video"),
        ("utm_source=google&utm_medium=cpc&utm_campaign=shopping", "", "Paid Shopping"),
        ("utm_source=x&utm_medium=cpc&utm_campaign=cross-network", "", "Cross-network"),
        ("utm_source=paper.example&utm_medium=banner", "", "Display"),
        ("utm_source=paper.example&utm_medium=cpc", "", "Paid Other"),
        ("utm_source=newsletter&utm_medium=email", "", "Email"),
        ("mc_eid=1", "", "Email"),
        ("utm_source=partner&utm_medium=affiliate", "", "Affiliates"),
        ("utm_source=radio&utm_medium=audio", "", "Audio"),
        ("utm_source=sms", "", "SMS"),
        ("utm_source=app&utm_medium=push", "", "Mobile Push Notifications"),
        ("utm_source=partner&utm_medium=referral", "", "Referral"),
        ("utm_source=poster&utm_medium=print", "", "Unassigned"),
        ("awc=1", "https://blog.example/", "Affiliates"),
        ("irclickid=1", "", "Affiliates"),
    ],
)
def test_the_channel_group_follows_the_published_table(query: str, address: str, group: str) -> None:
    page = {"url": f"{OWN}?{query}", "referrer": address}

    assert enrich_context({"page": page}, hit())["channelGroup"] == group


# The definitions for manual traffic as they stand at support.google.com/analytics/answer/9756891, in their
# order: source, medium, campaign. Each row holds what no row above it takes.
_PUBLISHED = [
    ("Cross-network", [("google", "cpc", "x cross-network y")]),
    (
        "Paid Shopping",
        [("amazon.com", "cpc", ""), ("paper", "ppc", "e-shop"), ("paper", "paid", "shopping sale")],
    ),
    ("Paid Search", [("google", "cpc", ""), ("bing", "ppc", ""), ("google", "retargeting", "")]),
    ("Paid Search", [("google", "paidsearch", ""), ("google", "xcpx", ""), ("google", "cpm", "")]),
    ("Paid Social", [("facebook", "paid", ""), ("linkedin", "cpc", "workshop")]),
    ("Paid Video", [("youtube", "cpc", ""), ("vimeo", "ppc", "")]),
    ("Display", [("paper", medium, "") for medium in ("display", "banner", "expandable", "interstitial")]),
    ("Display", [("paper", "cpm", "")]),
    ("Paid Other", [("paper", "cpc", ""), ("paper", "ppc", ""), ("paper", "retargeting", "")]),
    ("Organic Shopping", [("ebay", "", ""), ("paper", "y", "shop"), ("paper", "y", "my shopping")]),
    ("Organic Social", [("facebook", "", ""), ("x.example", "social", ""), ("x.example", "sm", "")]),
    ("Organic Social", [("p", f"social{mark}{end}", "") for mark in "- " for end in ("network", "media")]),
    ("Organic Video", [("youtube", "", ""), ("p", "onlinevideos", "")]),
    ("Organic Search", [("google", "", ""), ("p", "organic", ""), ("google", "email", "")]),
    ("Referral", [("p", medium, "") for medium in ("referral", "app", "link")]),
    ("Email", [(name, "", "") for name in ("email", "e-mail", "e_mail", "e mail")]),
    ("Email", [("p", name, "") for name in ("email", "e-mail", "e_mail", "e mail")]),
    ("Affiliates", [("p", "affiliate", "")]),
    ("Audio", [("p", "audio", "")]),
    ("SMS", [("sms", "", ""), ("p", "sms", "")]),
    ("Mobile Push Notifications", [("p", "webpush", ""), ("p", "a mobile b", ""), ("firebase", "", "")]),
    ("Mobile Push Notifications", [("p", "notifications", "")]),
    ("Unassigned", [("p", "pushed", ""), ("p", "print", ""), ("p", "affiliates", "")]),
]


@pytest.mark.parametrize(("group", "campaigns"), _PUBLISHED)
def test_every_published_row_is_kept(group: str, campaigns: list[tuple[str, str, str]]) -> None:
    told = [channels.group(each, frozenset(), ("direct", "")) for each in campaigns]

    assert told == [group] * len(campaigns)


@pytest.mark.parametrize(
    ("query", "address", "medium"),
    [
        ("gclid=1", "https://www.google.com/", "paid"),
        ("gclid=1", "", "paid"),
        ("utm_source=x&utm_medium=CPC", "https://blog.example/", "paid"),
        ("utm_source=x&utm_medium=paid-social", "https://facebook.com/", "paid"),
        ("utm_source=x&utm_medium=social", "https://facebook.com/", "social"),
        ("fbclid=1", "https://facebook.com/", "social"),
        ("mc_eid=1", "", "direct"),
        ("gclid=1", "https://shop.example/", "internal"),
        ("", "https://www.google.com/", "search"),
    ],
)
def test_who_was_paid_for_came_by_paid(query: str, address: str, medium: str) -> None:
    page = {"url": f"{OWN}?{query}", "referrer": address}

    assert enrich_context({"page": page}, hit())["referrer"]["medium"] == medium


def test_a_referrer_of_the_street_is_no_fault_when_the_step_is_off() -> None:
    context = {"referrer": {"source": "x"}, "campaign": {"medium": "cpc"}}

    assert paid.step(context, hit()) == {"referrer": {"source": "x", "medium": "paid"}}


def test_what_the_tracker_remembered_of_the_landing_page_stays() -> None:
    remembered = {"source": "google", "medium": "cpc"}

    context = enrich_context({"page": {"url": OWN}, "campaign": remembered}, hit())

    assert remembered == context["campaign"]
    assert context["channelGroup"] == "Paid Search"


@pytest.mark.parametrize(
    "bad", [7, "x", ["x"], {"source": 7, "clickIds": ["x"]}, {"clickIds": {"gclid": {}}}]
)
def test_nonsense_in_place_of_a_campaign_is_no_fault(bad: Any) -> None:
    assert channels.step({"campaign": bad, "referrer": {"medium": "direct"}}, hit())["channelGroup"]
