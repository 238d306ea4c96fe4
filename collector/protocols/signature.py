"""One verifier for the signatures of all webhooks: what a recipe describes, over the bytes as they came."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from collector.model import Reason, Refusal
from collector.protocols.template import Scope, template

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_SIGNATURES = 16
_PUBLIC_KEY = "whpk_"  # Standard Webhooks' mark of an ed25519 key, whose signatures begin with v1a
_ED25519_PREFIX = "v1a,"
_ENCODED_MARK = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a provider signs. ``signature``, ``timestamp`` and ``id`` say where to look, as templates.

    ``signed`` is what is signed, made of {id}, {timestamp}, {method}, {url}, {form} and {body}.
    """

    signature: str
    signed: str = "{body}"
    kind: str = "hmac"  # or ecdsa (P-256, SHA-256), or token: the secret itself is sent
    digest: str = "sha256"  # several, joined by |, where any will do
    encoding: str = "hex"
    prefix: str = ""
    separator: str = ""
    key: str = "raw"  # or base64, after whsec_
    timestamp: str = ""
    timestamp_prefix: str = ""  # where the time stands among the signatures
    unit_ms: int = 1000
    tolerance_seconds: int = 300
    id: str = ""
    optional: bool = False  # without a secret every delivery is taken
    other: Recipe | None = None  # for deliveries that carry none of this one's signatures


def verify(recipe: Recipe, secrets: Sequence[str], scope: Scope) -> None:
    """Raise Refusal bad_signature or stale_signature unless one of the secrets signed the delivery."""
    header = template(recipe.signature).text(scope)
    if recipe.other and not header:
        verify(recipe.other, secrets, scope)
        return
    usable = [secret for secret in secrets if secret]
    if not usable:
        if recipe.optional:
            return
        raise Refusal(Reason.BAD_SIGNATURE, "The source has no secret.")
    if not header:
        raise Refusal(
            Reason.BAD_SIGNATURE, "It carries no signature or token: give the provider the secret, too."
        )
    pieces = _pieces(recipe, header)
    timestamp = _timestamp(recipe, scope, pieces)
    contents = list(signed_contents(recipe, scope, timestamp))
    if not any(_matches(recipe, secret, content, pieces) for secret in usable for content in contents):
        raise Refusal(Reason.BAD_SIGNATURE)


def sign(recipe: Recipe, secret: str, content: bytes) -> list[str]:
    """Return the signatures of a content that a provider may write. Raises ValueError for a broken key."""
    if recipe.kind == "token":
        return [recipe.prefix + secret]
    key = _base64(secret.removeprefix("whsec_")) if recipe.key == "base64" else secret.encode()
    digests = [hmac.digest(key, content, name) for name in recipe.digest.split("|")]
    if recipe.encoding == "hex":
        return [recipe.prefix + digest.hex() for digest in digests]
    return [recipe.prefix + base64.b64encode(digest).decode() for digest in digests]


def _pieces(recipe: Recipe, header: str) -> list[str]:
    if recipe.separator:
        return header.split(recipe.separator)[:_MOST_SIGNATURES]
    scheme, _, token = header.partition(" ")
    return [token if recipe.kind == "token" and scheme.lower() == "bearer" else header]


def signed_contents(recipe: Recipe, scope: Scope, timestamp: str) -> Iterator[bytes]:
    """Yield what may have been signed: more than one where providers disagree about how to write the URL."""
    hit = scope.hit
    known = {
        "{id}": _bytes(template(recipe.id).text(scope)),
        "{timestamp}": _bytes(timestamp),
        "{method}": hit.method.encode(),
        "{form}": _sorted_form(scope) if "{form}" in recipe.signed else b"",
        "{body}": hit.body,
    }
    for url in _urls(hit.url) if "{url}" in recipe.signed else ("",):
        yield _fill(recipe.signed, {**known, "{url}": _bytes(url)})


def _fill(text: str, known: dict[str, bytes]) -> bytes:
    content, rest = b"", text
    while rest:
        literal, brace, rest = rest.partition("{")
        name, closing, rest = rest.partition("}") if brace else ("", "", "")
        content += literal.encode() + known.get(brace + name + closing, b"")
    return content


def _matches(recipe: Recipe, secret: str, content: bytes, pieces: Sequence[str]) -> bool:
    if recipe.kind == "ecdsa" or secret.startswith(_PUBLIC_KEY):
        return any(_signed_by_key(recipe, secret, content, piece) for piece in pieces)
    try:
        expected = [signature.encode() for signature in sign(recipe, secret, content)]
    except ValueError:  # a secret that is not base64
        return False
    # All are compared, and each in constant time; hex is taken in either case.
    lower = recipe.encoding == "hex" and recipe.kind == "hmac"
    given = [_bytes(piece.lower() if lower else piece) for piece in pieces]
    found = [hmac.compare_digest(each, piece) for each in expected for piece in given]
    return any(found)


def _signed_by_key(recipe: Recipe, key: str, content: bytes, piece: str) -> bool:
    """Tell whether the owner of a public key signed: as the recipe says, or as the key's mark does."""
    from collector.protocols import public_keys  # noqa: PLC0415 - see there

    try:
        if recipe.kind == "ecdsa":
            return public_keys.ecdsa(_base64(key), content, _base64(piece))
        signature = _base64(piece.removeprefix(_ED25519_PREFIX))
        good = public_keys.ed25519(_base64(key.removeprefix(_PUBLIC_KEY)), content, signature)
    except ValueError:
        return False
    return good and piece.startswith(_ED25519_PREFIX)


def _timestamp(recipe: Recipe, scope: Scope, pieces: Sequence[str]) -> str:
    """Return the signed time as it was sent. Raises Refusal stale_signature when it is too far away."""
    prefix = recipe.timestamp_prefix
    if prefix:
        text = next((piece.removeprefix(prefix) for piece in pieces if piece.startswith(prefix)), "")
    else:
        text = template(recipe.timestamp).text(scope)
    if not (prefix or recipe.timestamp) or not recipe.tolerance_seconds:
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 16):  # noqa: PLR2004 - no time has more
        raise Refusal(Reason.STALE_SIGNATURE, "It carries no time.")
    apart = abs(scope.hit.received_at - int(text) * recipe.unit_ms)
    if apart > recipe.tolerance_seconds * 1000:
        raise Refusal(Reason.STALE_SIGNATURE, f"It may be {recipe.tolerance_seconds} seconds old.")
    return text


def _sorted_form(scope: Scope) -> bytes:
    """Return the form's names and values, sorted; a JSON body is signed by its digest in the query."""
    digest = scope.query.get("bodySHA256")
    if isinstance(digest, str):
        if not hmac.compare_digest(
            hashlib.sha256(scope.hit.body).hexdigest().encode(), _bytes(digest.lower())
        ):
            raise Refusal(Reason.BAD_SIGNATURE)
        return b""
    try:
        pairs = parse_qsl(scope.hit.body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise Refusal(Reason.BAD_SIGNATURE) from None
    return "".join(name + value for name, value in sorted(set(pairs))).encode()


def _urls(url: str) -> Iterator[str]:
    """Yield the address as called, with the marks decoded that HubSpot decodes, and by Twilio's two ways.

    https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
    Twilio signs it without its port or with the scheme's own.
    """
    yield url
    if "%" in url:
        yield _ENCODED_MARK.sub(lambda match: chr(int(match[1], 16)), url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return
    if port:
        yield parts._replace(netloc=host).geturl()
    else:
        yield parts._replace(netloc=f"{host}:{443 if parts.scheme == 'https' else 80}").geturl()


def _base64(text: str) -> bytes:
    """Return what a text holds. Raises ValueError also for one whose last letter could be another."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if base64.b64encode(data).decode().rstrip("=") != text.rstrip("="):
        raise ValueError("bits that mean nothing are set")
    return data


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
