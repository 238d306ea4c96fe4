"""The commands for mails, against the test's own namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from click.testing import CliRunner

from collector.cli import cli
from collector.links import LinkError

if TYPE_CHECKING:
    from collector.settings import Settings


def headwater(settings: Settings, *arguments: str, **options: Any) -> Any:
    names = ("redis_url", "namespace", "data")
    environment = {f"HEADWATER_{name.upper()}": str(getattr(settings, name)) for name in names}
    return CliRunner().invoke(cli, arguments, env=environment, **options)


def test_rotate_puts_a_new_key_in_front(settings: Settings) -> None:
    headwater(settings, "source", "add", "--bridge", "email", "--name", "News", "--id", "news")
    old = orjson.loads(headwater(settings, "source", "show", "news").output)["settings"]["keys"]

    answer = headwater(settings, "link", "rotate", "news")
    new = orjson.loads(headwater(settings, "source", "show", "news").output)["settings"]["keys"]

    assert answer.output == f"news signs with the new key {new[0]['id']}.\n"
    assert [key["id"] for key in new[1:]] == [old[0]["id"]]
    assert new[1]["retired"]


def test_only_email_sources_have_links(settings: Settings) -> None:
    headwater(settings, "source", "add", "--name", "Shop", "--id", "shop")

    answer = headwater(settings, "link", "rotate", "shop")

    assert isinstance(answer.exception, LinkError)
    assert "email sources" in str(answer.exception)


def test_instrument_prints_the_mail_with_tracked_links(settings: Settings) -> None:
    headwater(settings, "source", "add", "--bridge", "email", "--name", "News", "--id", "news")
    arguments = ("--source", "news", "--message", "spring", "--recipient", "r1")

    answer = headwater(
        settings, "email", "instrument", *arguments, input='<a href="https://shop.example/">x</a></body>'
    )

    assert answer.exit_code == 0
    assert answer.stdout.startswith('<a href="http://127.0.0.1:8080/l/')
    assert "/p/news.gif?t=" in answer.stdout
    assert "public_url is not set" in answer.stderr


def test_a_set_public_url_is_no_worry(settings: Settings) -> None:
    headwater(settings, "source", "add", "--bridge", "email", "--name", "News", "--id", "news")
    arguments = ("--source", "news", "--message", "spring", "--recipient", "r1")

    answer = headwater(
        settings, "email", "instrument", *arguments, "--public-url", "https://t.example/", input="x"
    )

    assert answer.stderr == ""
    assert "https://t.example/p/news.gif" in answer.stdout


def test_the_command_line_leaves_the_channel_to_the_bridge(settings: Settings) -> None:
    headwater(settings, "source", "add", "--bridge", "email", "--name", "News", "--id", "news")
    post = ("--channel", "Post", "--name", "Post", "--id", "post")
    headwater(settings, "source", "add", "--bridge", "email", *post)

    channels = [
        orjson.loads(headwater(settings, "source", "show", name).output)["channel"]
        for name in ("news", "post")
    ]

    assert channels == ["Email", "Post"]
