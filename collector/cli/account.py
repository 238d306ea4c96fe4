"""``headwater account …`` and ``headwater token …``: who gets into the console and the API."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collector.access import SCOPES, Access, Account, ApiToken, Role
from collector.cli.context import Number, opened, run, with_confirmation, with_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from collector.settings import Settings

store_settings = with_settings("data", "redis_url")
_ROLES = click.Choice([role.value for role in Role])


@click.group()
def account() -> None:
    """Add, list and remove the accounts of the console."""


@account.command()
@with_settings("data", "redis_url", "console_url", "console_port")
@click.argument("name")
@click.option("--role", type=_ROLES, default="admin", show_default=True, help="What it may do.")
@click.option("--password-stdin", "from_stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--link", is_flag=True, help="Print a one-time link by which the person sets the password.")
def add(settings: Settings, name: str, *, role: str, from_stdin: bool, link: bool) -> None:
    """Add an account."""
    if link:
        secret = _asked(settings, lambda access: access.invite(name, Role(role)))
        click.echo(f"{settings.console_address()}/invitation/{secret}")
        return
    given = _password(from_stdin=from_stdin)
    _asked(settings, lambda access: access.accounts.add(name, Role(role), given))
    click.echo(f"Added {name} as {role}.")


@account.command("list")
@store_settings
def list_(settings: Settings) -> None:
    """List the accounts."""
    accounts: list[Account] = _asked(settings, lambda access: access.accounts.all())
    table = Table("name", "role", "created", box=None, header_style="bold")
    for each in accounts:
        table.add_row(escape(each.name), each.role.value, each.created)
    Console().print(table)


@account.command()
@store_settings
@click.argument("name")
@click.option("--password-stdin", "from_stdin", is_flag=True, help="Read the password from standard input.")
def password(settings: Settings, name: str, *, from_stdin: bool) -> None:
    """Set another password.

    Whoever is signed in as the account is signed out.
    """
    given = _password(from_stdin=from_stdin)
    _asked(settings, lambda access: access.change_password(name, given))
    click.echo(f"Changed the password of {name}.")


@account.command()
@store_settings
@click.argument("name")
@click.argument("role", type=_ROLES)
def role(settings: Settings, name: str, role: str) -> None:
    """Give an account another role."""
    _asked(settings, lambda access: access.accounts.set_role(name, Role(role)))
    click.echo(f"{name} is {role}.")


@account.command()
@store_settings
@click.argument("name")
@with_confirmation("It is signed out, and its tokens are refused. Remove it?")
def remove(settings: Settings, name: str, confirm: Callable[[], None]) -> None:
    """Forget an account."""
    _asked(settings, lambda access: access.accounts.get(name))
    confirm()
    _asked(settings, lambda access: access.remove(name))
    click.echo(f"Removed {name}.")


@click.group()
def token() -> None:
    """Add, list and remove the tokens of programs that use the API."""


@token.command("add")
@store_settings
@click.argument("label")
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(list(SCOPES)), help="Repeatable."
)
@click.option("--days", type=Number(36_500), help="How long it is good for; for ever when left out.")
def add_token(settings: Settings, label: str, *, scopes: tuple[str, ...], days: float | None) -> None:
    """Make a token and print it. It is not kept: copy it now."""
    click.echo(_asked(settings, lambda access: access.tokens.add(label, scopes, days=days)))


@token.command("list")
@store_settings
def list_tokens(settings: Settings) -> None:
    """List the tokens; they themselves are not kept."""
    tokens: list[ApiToken] = _asked(settings, lambda access: access.tokens.all())
    table = Table("id", "label", "account", "scopes", "expires", "used", box=None, header_style="bold")
    for each in tokens:
        shown = [escape(each.label), escape(each.account), " ".join(sorted(each.scopes))]
        table.add_row(each.id, *shown, each.expires or "never", each.used or "never")
    Console().print(table)


@token.command("remove")
@store_settings
@click.argument("identifier", metavar="ID")
def remove_token(settings: Settings, identifier: str) -> None:
    """Refuse a token from now on."""
    _asked(settings, lambda access: access.tokens.remove(identifier))
    click.echo(f"Removed {identifier}.")


def _asked(settings: Settings, call: Callable[[Access], Coroutine[Any, Any, Any]]) -> Any:
    async def work() -> Any:
        async with opened(settings) as (redis, names, _):
            return await call(Access(redis, names, settings))

    return run(work())


def _password(*, from_stdin: bool) -> str:
    """Return the password: never an argument, which histories and lists of processes show."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
