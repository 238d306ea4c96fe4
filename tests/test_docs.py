"""Documentation as contract: what the code offers is documented, and what the docs show is true."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from collector.cli import cli
from collector.model import Reason
from collector.protocols import (
    amplitude,
    ga4_rules,
    matomo,
    mixpanel,
    plausible,
    posthog,
    snowplow,
    their_limits,
    umami,
)
from tools.make_docs import DOCS, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", pages())
def test_a_made_page_is_fresh(name: str) -> None:
    assert pages()[name] == (DOCS / name).read_text(encoding="utf-8"), "run `make docs`"


def test_every_public_route_is_documented() -> None:
    routes = (ROOT / "collector" / "routes.py").read_text(encoding="utf-8")
    paths = {re.sub(r"\{.*?\}", "", path) for path in re.findall(r'f?"(/[^"]*)"', routes)} - {"/"}
    documented = (DOCS / "paths.md").read_text(encoding="utf-8")
    shown = {re.sub(r"\{.*?\}", "", path) for path in re.findall(r"`[A-Z*, ]+ (/[^`]*)`", documented)}

    assert paths - shown == set()


def test_every_command_in_readme_exists() -> None:
    commands = re.findall(r"headwater ([a-z]+)", README)

    assert commands
    assert set(commands) <= set(cli.list_commands(click.Context(cli)))


def test_no_command_is_cut_short_where_commands_are_listed() -> None:
    cut = re.findall(r"^ +\S+ .*\.\.\.$", pages()["commands.md"], re.MULTILINE)

    assert cut == []


def test_every_make_command_in_the_docs_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))
    pages = [README, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")]

    assert {name for page in pages for name in re.findall(r"`make ([a-z]+)`", page)} <= targets


def test_links_between_the_pages_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {link}"
        for page in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]
        for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]

    assert broken == []


def test_reasons_are_unique_and_have_a_sentence() -> None:
    codes = [reason.code for reason in Reason]

    assert len(codes) == len(set(codes))
    assert all(
        reason.help.endswith(".") and (reason.status == 200 or 400 <= reason.status < 600)
        for reason in Reason
    )


def test_every_limit_of_another_system_is_documented() -> None:
    text = (DOCS / "dialects.md").read_text(encoding="utf-8")
    table = text.partition("## Their limits")[2].partition("\n## ")[0]
    rows = {cells[1].strip(): row for row in table.splitlines() if len(cells := row.split("|")) > 2}
    limits = {
        "Plausible": plausible.LIMITS,
        "Umami": umami.LIMITS,
        "PostHog": posthog.LIMITS,
        "Matomo": matomo.LIMITS,
        "Snowplow": snowplow.LIMITS,
        "Google, servers": ga4_rules.LIMITS,
        "Google, pages": ga4_rules.PAGE_LIMITS,
        "Amplitude": amplitude.LIMITS,
        "Mixpanel": mixpanel.LIMITS,
    }
    rows["Google, servers"] += rows["Google, pages"]

    assert {
        (name, number)
        for name, each in limits.items()
        for number in _numbers(asdict(each))
        if f"{number:,}" not in rows[name]
    } == set()
    assert f"{amplitude.BATCH_LIMITS.body_bytes:,}" in rows["Amplitude"]


def _numbers(limits: dict[str, Any]) -> Iterator[int]:
    for value in limits.values():
        if isinstance(value, dict):
            yield from _numbers(value)
        elif value and not isinstance(value, bool):
            yield value


@pytest.mark.parametrize("flag", their_limits.FLAGS)
def test_every_flag_of_a_limit_is_documented(flag: str) -> None:
    assert f"`{flag}`" in (DOCS / "dialects.md").read_text(encoding="utf-8")
