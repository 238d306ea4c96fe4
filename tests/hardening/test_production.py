"""``doctor --strict``: each thing that must not be in production fails it, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector.production import _judged, judge_redis, judge_settings
from collector.settings import Settings
from collector.sources import check_form
from collector.sources.form import to_source
from tests.conftest import run_collector, until
from tests.test_commands import headwater

if TYPE_CHECKING:
    from redis.asyncio import Redis

GOOD: dict[str, Any] = {"public_url": "https://in.shop.example", "data": Path("/")}


def bad(settings: Settings) -> list[str]:
    return [finding.name for finding in judge_settings(settings) if not finding.right]


def test_good_settings_are_fit_for_production() -> None:
    assert bad(Settings(**GOOD)) == []
    assert bad(Settings(**GOOD, console_host="0.0.0.0", console_url="https://c.shop.example")) == []  # noqa: S104


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"console_host": "0.0.0.0"}, "console"),  # noqa: S104 - the mistake in question
        ({"console_host": "::", "console_url": "http://c.shop.example"}, "console"),
        ({"public_url": ""}, "public door"),
        ({"public_url": "http://in.shop.example"}, "public door"),
        ({"address_rate": 0}, "rates"),
        ({"source_rate": 0, "key_rate": 0}, "rates"),
        ({"ack": "memory"}, "promise"),
        ({"spool_bytes": 2**60}, "disk"),
        ({"data": Path("/no/such/folder")}, "disk"),
    ],
)
def test_what_must_not_be_in_production_is_found_in_the_settings(fields: dict[str, Any], name: str) -> None:
    assert bad(Settings(**{**GOOD, **fields})) == [name]


WEB = {"name": "S", "id": "s1", "quota_month": 1000, "settings": {"origins": ["https://shop.example"]}}
HOOK = {"name": "S", "id": "s1", "bridge": "webhook", "settings": {"secrets": ["s3cret"]}}


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        (WEB, []),
        (HOOK, []),
        ({**WEB, "settings": {}}, ["any website"]),
        ({**WEB, "quota_month": 0}, ["no quota"]),
        ({**WEB, "tags": ["demo"]}, ["demo"]),
        ({**WEB, "transitional": True}, ["keeps no event"]),
        ({**HOOK, "settings": {}}, ["signed", "any number"]),
        ({**HOOK, "settings": {"per_minute": 10}}, ["signed"]),
        ({"name": "S", "id": "s1", "bridge": "rest"}, []),
    ],
)
def test_what_must_not_be_in_production_is_found_in_a_source(form: dict[str, Any], wrong: list[str]) -> None:
    source = to_source(check_form(form), created="", updated="", version=1)
    said = [sentence for found, sentence in _judged(source) if found]

    assert len(said) == len(wrong)
    assert all(words in sentence for words, sentence in zip(wrong, said, strict=True))


async def test_a_redis_that_takes_anybody_and_a_proxy_that_nobody_named_are_found(
    settings: Settings, redis: Redis
) -> None:
    async with run_collector(settings) as running:
        source = await running.add(**{key: value for key, value in WEB.items() if key != "id"})
        await running.post(
            source.id, {"batch": []}, Origin="https://shop.example", X_Forwarded_For="203.0.113.7"
        )

        async def noticed() -> Any:
            wrong = {each.name: each.text for each in await judge_redis(redis, settings) if not each.right}
            return wrong if "proxies" in wrong else None

        wrong = await until(noticed)

    assert set(wrong) == {"redis user", "redis door", "proxies"}
    assert "name it in trusted_proxies" in wrong["proxies"]


def test_the_command_fails_with_a_sentence_for_each(tmp_path: Path) -> None:
    plain, strict = headwater(tmp_path, "doctor"), headwater(tmp_path, "doctor", "--strict")

    assert (plain.returncode, strict.returncode) == (0, 1)
    assert "BAD  public door   public_url is empty: set it to" in strict.stdout
