"""A test delivery of a plan: made and signed as its provider would, with all that its templates read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import orjson

from collector.model import Hit
from collector.protocols.ids import uuid7
from collector.protocols.signature import Recipe, sign, signed_contents
from collector.protocols.template import Scope, template

if TYPE_CHECKING:
    from collector.model import Source
    from collector.protocols.webhook import Plan

EVENT = "headwater.test"


class SampleError(ValueError):
    """A delivery cannot be made; the message says why in one sentence."""


class _Draft:
    """A delivery under construction: values are put where templates will look for them."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.query: dict[str, str] = {}
        self.body: dict[str, Any] = {"test": "Sent by headwater webhook test."}

    def put(self, text: str, value: Any) -> None:
        """Put a value at the first place that a template names, unless something is there."""
        first = next((part[0] for part in template(text).parts if isinstance(part, tuple)), ("path",))
        root, *keys = first
        if root == "header":
            self.headers.setdefault(keys[0], str(value))
        elif root == "query":
            self.query.setdefault(keys[0], str(value))
        elif root == "body" and keys:
            place = self.body
            for key in keys[:-1]:
                place = place.setdefault(key, {})
            place.setdefault(keys[-1], value)


def sample(source: Source, plan: Plan, url: str, now_ms: int) -> Hit:
    """Return a delivery to an address. Raises SampleError when only the provider can sign it."""
    draft, preset = _Draft(), plan.preset
    secret = plan.secrets[0] if plan.secrets else ""
    recipe = _recipe_for(secret, preset.recipe)
    stamp = str(now_ms // recipe.unit_ms) if recipe else ""
    identity = uuid7(now_ms)
    if plan.name == "cloudevents":
        draft.body |= {"specversion": "1.0", "id": identity, "source": "/headwater", "data": {"test": True}}
    if preset.form:
        draft.put(preset.time, now_ms // 1000)
    else:
        draft.put(preset.time, now_ms)
    if recipe:
        draft.put(recipe.id, identity)
        draft.put(recipe.timestamp, stamp)
    draft.put(preset.event, EVENT)
    draft.put(preset.id, identity)
    if recipe and not secret and not recipe.optional:
        raise SampleError("The source has no secret to sign with; set settings.secrets.")
    if recipe and secret and recipe.kind == "token":
        draft.put(recipe.signature, f"Bearer {secret}" if "authorization" in recipe.signature else secret)
    hit = _finished(draft, source, plan, url, now_ms)
    if not recipe or not secret or recipe.kind == "token":
        return hit
    draft.put(recipe.signature, _signature(recipe, secret, hit, stamp))
    return _finished(draft, source, plan, url, now_ms)


def _recipe_for(secret: str, recipe: Recipe | None) -> Recipe | None:
    """Return the way to sign that a secret is for: GitLab's signing tokens tell themselves."""
    if recipe and recipe.other and not secret.startswith("whsec_"):
        return recipe.other
    return recipe


def _finished(draft: _Draft, source: Source, plan: Plan, url: str, now_ms: int) -> Hit:
    query = urlencode(draft.query)
    url = f"{url}?{query}" if query else url
    if plan.preset.form:
        body, label = urlencode(draft.body).encode(), "application/x-www-form-urlencoded"
    else:
        body, label = orjson.dumps([draft.body] if plan.preset.items else draft.body), "application/json"
    headers = {"content-type": label, **draft.headers}
    return Hit(source, now_ms, body, urlsplit(url).query, headers, url=url)


def _signature(recipe: Recipe, secret: str, hit: Hit, stamp: str) -> str:
    if recipe.kind == "ecdsa" or secret.startswith("whpk_"):
        raise SampleError("Only the provider has the private key; use its own button for a test delivery.")
    content = next(iter(signed_contents(recipe, Scope(hit), stamp)))
    try:
        signature = sign(recipe, secret, content)[0]
    except ValueError:
        raise SampleError("The secret is not base64.") from None
    time_part = recipe.timestamp_prefix + stamp + recipe.separator if recipe.timestamp_prefix else ""
    return time_part + signature
