"""The table of webhook presets: how each provider signs, and where its events have what."""

from __future__ import annotations

from dataclasses import dataclass, replace

from collector.protocols.signature import Recipe


@dataclass(frozen=True, slots=True)
class Preset:
    """How to read a provider's deliveries, in templates and keys of their bodies."""

    help: str
    recipe: Recipe | None = None
    event: str = "{body.event|body.type|path}"
    id: str = ""
    time: str = ""
    user: str = ""
    items: str = ""  # where the list of events is, when one delivery has several
    inside: str = ""  # the key whose object becomes the properties; what is beside it goes to the context
    drop: tuple[str, ...] = ()  # keys that are nobody's business in the stream
    silent: tuple[str, ...] = ()  # events that only the provider's handshake needs
    ask_for: str = ""  # what the provider calls the secret
    form: bool = False  # whether it sends forms
    answer: str = "json"  # or empty, slack, form


_TOKEN = Recipe(
    "{header.authorization|header.x-webhook-token|query.secret|query.access_token}",
    kind="token",
    optional=True,
)

STANDARD = Recipe(
    "{header.webhook-signature|header.svix-signature}",
    "{id}.{timestamp}.{body}",
    encoding="base64",
    prefix="v1,",
    separator=" ",
    key="base64",
    timestamp="{header.webhook-timestamp|header.svix-timestamp}",
    id="{header.webhook-id|header.svix-id}",
)

PRESETS: dict[str, Preset] = {
    "json": Preset(
        "Anything: JSON, a form, text, XML. A secret, if set, must come as Bearer token or ?secret=",
        _TOKEN,
        id="{header.idempotency-key|header.webhook-id}",
    ),
    "hmac": Preset(
        "Any provider that signs with HMAC: describe it under settings.signature.", ask_for="Secret"
    ),
    "github": Preset(
        "GitHub",
        Recipe("{header.x-hub-signature-256}", prefix="sha256="),
        event="{header.x-github-event}.{body.action}",
        id="{header.x-github-delivery}",
        user="{body.sender.login}",
        ask_for="Secret of the webhook",
    ),
    "gitlab": Preset(
        "GitLab",
        # Signing tokens, since GitLab 19, follow Standard Webhooks; the older secret token is itself sent.
        replace(STANDARD, other=Recipe("{header.x-gitlab-token}", kind="token")),
        event="{body.object_kind|body.event_name|header.x-gitlab-event}.{body.object_attributes.action}",
        id="{header.idempotency-key|header.webhook-id|header.x-gitlab-event-uuid}",
        user="{body.user.username|body.user_username}",
        ask_for="Signing token (whsec_…), or secret token",
    ),
    "slack": Preset(
        "Slack: events, slash commands, interactivity",
        Recipe(
            "{header.x-slack-signature}",
            "v0:{timestamp}:{body}",
            prefix="v0=",
            timestamp="{header.x-slack-request-timestamp}",
        ),
        event="{body.event.type|body.command|body.type}",
        id="{body.event_id|body.trigger_id}",
        time="{body.event_time}",
        user="{body.event.user|body.user_id|body.user.id}",
        drop=("token",),
        silent=("url_verification",),
        ask_for="Signing Secret",
        answer="slack",
    ),
    "stripe": Preset(
        "Stripe",
        Recipe(
            "{header.stripe-signature}",
            "{timestamp}.{body}",
            prefix="v1=",
            separator=",",
            timestamp_prefix="t=",
        ),
        event="{body.type}",
        id="{body.id}",
        time="{body.created}",
        user="{body.data.object.customer}",
        ask_for="Signing secret (whsec_…)",
    ),
    "shopify": Preset(
        "Shopify",
        Recipe("{header.x-shopify-hmac-sha256}", encoding="base64"),
        event="{header.x-shopify-topic}",
        id="{header.x-shopify-webhook-id|header.x-shopify-event-id}",
        time="{header.x-shopify-triggered-at}",
        user="{body.customer.id}",
        ask_for="Client secret",
    ),
    "typeform": Preset(
        "Typeform",
        Recipe("{header.typeform-signature}", prefix="sha256=", encoding="base64"),
        event="{body.event_type}",
        id="{body.event_id}",
        time="{body.form_response.submitted_at}",
        ask_for="Secret",
    ),
    "mailgun": Preset(
        "Mailgun",
        Recipe(
            "{body.signature.signature|body.signature}",
            "{timestamp}{id}",
            timestamp="{body.signature.timestamp|body.timestamp}",
            id="{body.signature.token|body.token}",
            tolerance_seconds=9 * 3600,  # it tries for eight hours; the token's window keeps replays out
        ),
        event="{body.event-data.event|body.event}",
        id="{body.signature.token|body.token}",
        time="{body.event-data.timestamp|body.timestamp}",
        user="{body.event-data.recipient|body.recipient}",
        inside="event-data",
        drop=("signature", "token"),
        ask_for="HTTP webhook signing key",
    ),
    "sendgrid": Preset(
        "SendGrid event webhook",
        Recipe(
            "{header.x-twilio-email-event-webhook-signature}",
            "{timestamp}{body}",
            kind="ecdsa",
            timestamp="{header.x-twilio-email-event-webhook-timestamp}",
        ),
        event="{body.event}",
        id="{body.sg_event_id}",
        time="{body.timestamp}",
        user="{body.email}",
        items="{body}",
        ask_for="Verification key",
    ),
    "twilio": Preset(
        "Twilio",
        # SHA-1 with the auth token, SHA-256 with a shared key.
        Recipe("{header.x-twilio-signature}", "{url}{form}", digest="sha1|sha256", encoding="base64"),
        event="{body.MessageStatus|body.SmsStatus|body.CallStatus|body.EventType|path}",
        id="{body.MessageSid|body.SmsSid|body.CallSid|header.i-twilio-idempotency-token}"
        ".{body.MessageStatus|body.SmsStatus|body.CallStatus}",
        user="{body.From}",
        ask_for="Auth token, or secret of the shared key",
        form=True,
        answer="empty",
    ),
    "hubspot": Preset(
        "HubSpot, signature version 3",
        Recipe(
            "{header.x-hubspot-signature-v3}",
            "{method}{url}{body}{timestamp}",
            encoding="base64",
            timestamp="{header.x-hubspot-request-timestamp}",
            unit_ms=1,
        ),
        event="{body.subscriptionType|body.eventType}",
        id="{body.eventId}.{body.subscriptionId}.{body.occurredAt}",
        time="{body.occurredAt}",
        user="{body.objectId}",
        items="{body}",
        ask_for="Client secret",
    ),
    "standard": Preset(
        "Standard Webhooks and Svix: Clerk, Resend, OpenAI and many more",
        STANDARD,
        event="{body.type}",
        id="{header.webhook-id|header.svix-id}",
        time="{body.timestamp}",
        ask_for="Signing secret (whsec_…), or public key (whpk_…)",
    ),
    "cloudevents": Preset(
        "CloudEvents: binary, structured and batch",
        _TOKEN,
        event="{body.type}",
        id="{body.source}#{body.id}",
        time="{body.time}",
        items="{body}",
        inside="data",
    ),
    "mailchimp": Preset(
        "Mailchimp audiences: put ?secret=… at the end of the address",
        Recipe("{query.secret}", kind="token"),
        event="{body.type}",
        id="{body.type}:{body.data.list_id}:{body.data.id|body.data.email}:{body.fired_at}",
        time="{body.fired_at}",
        user="{body.data.email}",
        ask_for="A long random word of your own",
        form=True,
    ),
    "calendly": Preset(
        "Calendly",
        Recipe(
            "{header.calendly-webhook-signature}",
            "{timestamp}.{body}",
            prefix="v1=",
            separator=",",
            timestamp_prefix="t=",
        ),
        event="{body.event}",
        id="{body.event}:{body.payload.uri}:{body.created_at}",
        time="{body.created_at}",
        user="{body.payload.email}",
        ask_for="Signing key",
    ),
    "form": Preset(
        "A form of your own site: 303 to settings.thank_you, honeypot, rate limit",
        event="{path}",
        form=True,
        answer="form",
    ),
}
