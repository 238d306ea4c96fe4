"""Operations on the links of mails: signed ones, short ones, and the keys that sign."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from collector.api.errors import ApiError
from collector.api.models import Count, LinksMade, ShortLinkList, ShortLinkView, SigningKeyId
from collector.api.operation import Call, Reply
from collector.mails import Tracking, as_json, instrument_many
from collector.sources import SourceError
from collector.sources.email import signer
from collector.sources.keys import rotate_signing_key

if TYPE_CHECKING:
    from collector.api.models import MailsNew
    from collector.model import Source
    from collector.sources.short_links import ShortLink


async def sign_links(call: Call) -> Reply:
    """Sign the links, the pixel and the unsubscribe of one mail to one recipient."""
    source = _email(call)
    tracking = Tracking(
        signer(source),
        call.services.public,
        call.body.message,
        call.body.recipient,
        hosts=source.settings.hosts,
        parameters=call.body.parameters,
        consented=call.body.consented,
    )
    links = [tracking.link(target) for target in call.body.targets]
    return Reply(LinksMade(links=links, pixel=tracking.pixel, unsubscribe=tracking.unsubscribe))


async def instrument_mails(call: Call) -> web.StreamResponse:
    """Make the mail of each recipient: links, pixel and unsubscribe ours; one JSON object a line."""
    source = _email(call)
    body: MailsNew = call.body
    tracking = Tracking(
        signer(source),
        call.services.public,
        body.message,
        "",
        hosts=source.settings.hosts,
        parameters=body.parameters,
        unsubscribes=body.unsubscribes,
    )
    recipients = [(each.recipient, each.consented) for each in body.recipients]
    mails = instrument_many(body.mail.encode(errors="replace"), body.kind, tracking, recipients)
    first = await asyncio.to_thread(next, mails)  # what cannot be made is said before the answer begins
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(call.request)
    made: tuple[str, bytes] | None = first
    with suppress(ConnectionResetError):  # who asked has gone
        while made is not None:
            recipient, mail = made
            await response.write(orjson.dumps({"recipient": recipient, **as_json(mail)}) + b"\n")
            made = await asyncio.to_thread(next, mails, None)  # a large one takes a while: hits must not wait
        await response.write_eof()
    return response


async def rotate_key(call: Call) -> Reply:
    """Sign with a new key from now on. Links of the old one work for 13 months more, tokens to their end."""
    try:
        return Reply(SigningKeyId(id=await rotate_signing_key(call.services.catalogue, call.source.id)))
    except SourceError as error:
        raise ApiError(409, str(error)) from None


async def list_short_links(call: Call) -> Reply:
    """List the short links of a source, the oldest first."""
    links = call.services.short_links.of(_email(call).id)
    return Reply(ShortLinkList(items=[_view(call, each) for each in links]))


async def create_short_link(call: Call) -> Reply:
    """Make a short link for print, QR codes or SMS."""
    made = await call.services.short_links.add(_email(call), call.body.target, call.body.label)
    return Reply(_view(call, made))


async def delete_short_link(call: Call) -> Reply:
    """End a short link."""
    name = call.path("link")
    found = call.services.short_links.find(name)
    if found is None or found.source != _email(call).id:
        raise ApiError(404, "The source has no short link of this id.")
    await call.services.short_links.remove(name)
    return Reply()


async def withdraw_consent(call: Call) -> Reply:
    """Name these recipients no more, in mails already sent too: opens and clicks are counted only."""
    withdrawals = call.services.withdrawals
    change = withdrawals.restore if call.body.undo else withdrawals.withdraw
    return Reply(Count(count=await change(_email(call), call.body.recipients)))


def _email(call: Call) -> Source:
    source = call.source
    if source.bridge != "email":
        raise ApiError(409, f"{source.id!r} is a {source.bridge} source; links belong to email sources.")
    return source


def _view(call: Call, link: ShortLink) -> ShortLinkView:
    fields = {name: value for name, value in asdict(link).items() if name != "source"}
    return ShortLinkView(**fields, url=f"{call.services.public}/l/{link.id}")
