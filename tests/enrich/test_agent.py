"""What a user agent and its client hints tell, judged by uap-core's own cases and by tables."""

from __future__ import annotations

from typing import Any

import pytest

from collector.enrich import agent
from collector.model import Privacy
from tests.conftest import hit, web_source
from tests.enrich.uap_core import uap_core

ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
    " Mobile Safari/537.36"
)
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
    " Safari/537.36"
)
CHROME = '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"'
# Two answers were corrected in uap-core after the crate was made; the engine's rules are newer than it.
CORRECTED = ("OculusBrowser/26.2.0.0.10", "(X11; Linux armv7l) CrKey/1")


def _version(case: dict[str, Any], *keys: str) -> str:
    values = [case.get(key) for key in keys]
    known = values[: values.index(None)] if None in values else values
    return ".".join(map(str, known))


def _told(case: dict[str, Any], part: str) -> dict[str, Any]:
    told: dict[str, Any] = agent.step({"userAgent": case["user_agent_string"]}, hit())[part] or {}
    return told


def _others(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [case for case in cases if not any(part in case["user_agent_string"] for part in CORRECTED)]


def test_every_user_agent_of_uap_core_gets_its_browser() -> None:
    wrong = []
    for case in _others(uap_core()["ua"]):
        told, version = _told(case, "browser"), _version(case, "major", "minor", "patch")
        fits = f"{told.get('version', '')}.".startswith(f"{version}." if version else "")
        if told.get("name", "Other") != case["family"] or not fits:
            wrong.append((case, told))

    assert wrong == []


def test_every_user_agent_of_uap_core_gets_its_system() -> None:
    wrong = []
    for case in _others(uap_core()["os"]):
        told, version = _told(case, "os"), _version(case, "major", "minor", "patch", "patch_minor")
        if (told.get("name", "Other"), told.get("version", "")) != (case["family"], version):
            wrong.append((case, told))

    assert wrong == []


def test_every_user_agent_of_uap_core_gets_its_device() -> None:
    wrong = []
    for case in _others(uap_core()["device"]):
        told = _told(case, "device")
        if (told.get("brand"), told.get("model")) != (case["brand"], case["model"]):
            wrong.append((case, told))

    assert wrong == []


HINTS: list[Any] = [
    pytest.param(
        "Something new",
        {"Sec-CH-UA": CHROME, "Sec-CH-UA-Mobile": "?1", "Sec-CH-UA-Platform": '"Android"'},
        None,
        {
            "browser": {"name": "Chrome", "version": "142"},
            "os": {"name": "Android"},
            "device": {"type": "phone"},
        },
        id="what an unknown user agent hides",
    ),
    pytest.param(
        WINDOWS,
        {"Sec-CH-UA": CHROME, "Sec-CH-UA-Platform": '"Windows"'},
        None,
        {"browser": {"name": "Chrome", "version": "142.0.0.0"}},
        id="Chrome's own brand says nothing new",
    ),
    pytest.param(
        WINDOWS,
        {"Sec-CH-UA": '"Not(A:Brand";v="8", "Chromium";v="142", "Brave";v="142"'},
        None,
        {"browser": {"name": "Brave", "version": "142"}},
        id="a brand that the user agent hides wins, grease is no brand",
    ),
    pytest.param(
        WINDOWS,
        {},
        {"brands": [{"brand": "Google Chrome", "version": "142"}], "platform": "Windows"},
        {"os": {"name": "Windows", "version": "10"}},
        id="without a platform version the system stays",
    ),
    pytest.param(
        WINDOWS,
        {},
        {"platform": "Windows", "platformVersion": "15.0.0"},
        {"os": {"name": "Windows", "version": "11"}},
        id="platform version 13 and up is Windows 11",
    ),
    pytest.param(
        ANDROID,
        {},
        {"platform": "Android", "platformVersion": "15.0.0", "model": "Pixel 9 Pro", "mobile": True},
        {
            "os": {"name": "Android", "version": "15.0.0"},
            "device": {"type": "phone", "brand": "Google", "model": "Pixel 9 Pro"},
        },
        id="the model behind a frozen Android",
    ),
    pytest.param(
        WINDOWS,
        {},
        {"fullVersionList": [{"brand": "Google Chrome", "version": "142.0.7444.60"}]},
        {"browser": {"name": "Chrome", "version": "142.0.7444.60"}},
        id="the full version",
    ),
    pytest.param(
        WINDOWS,
        {"Sec-CH-UA": '\\"\'{[;;v="' * 99, "Sec-CH-UA-Platform": "?" * 999},
        {"brands": [1, {}, {"brand": 3}], "platformVersion": {"a": 1}, "model": [2], "mobile": "no"},
        {"browser": {"name": "Chrome", "version": "142.0.0.0"}},
        id="nonsense tells nothing",
    ),
]


@pytest.mark.parametrize(("text", "headers", "data", "told"), HINTS)
def test_client_hints_win_over_a_frozen_user_agent(
    text: str, headers: dict[str, str], data: Any, told: dict[str, Any]
) -> None:
    answer = agent.step({"userAgent": text, "userAgentData": data}, hit(headers=headers))

    assert told == {key: answer[key] for key in told}


@pytest.mark.parametrize("text", [None, "", 7, ["x"], {"a": 1}])
def test_what_is_no_user_agent_tells_nothing(text: Any) -> None:
    assert agent.step({"userAgent": text}, hit()) == {}


def test_a_very_long_user_agent_is_cut() -> None:
    assert agent.step({"userAgent": WINDOWS + " x" * 100_000}, hit())["browser"]["name"] == "Chrome"


@pytest.mark.parametrize(
    ("consent", "model"), [({}, None), ({"analytics": False}, None), ({"analytics": True}, "Pixel 9 Pro")]
)
def test_detailed_hints_count_only_with_the_consent_that_is_required(
    consent: dict[str, bool], model: str | None
) -> None:
    """A page view that is taken before consent tells no model, even if some tracker sends it."""
    source = web_source(privacy=Privacy(consent="required", before_consent="views"))
    context = {"userAgent": ANDROID, "userAgentData": {"model": "Pixel 9 Pro"}, "consent": consent}

    device = agent.step(context, hit(source=source))["device"]

    assert (device["model"] if device.get("brand") == "Google" else None) == model
