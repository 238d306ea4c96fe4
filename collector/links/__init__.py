"""Links of mails: signed tokens, and the rules for where a link may lead. Pure functions, no I/O."""

from collector.links.journey import JOURNEY, journey_token, recipient_of
from collector.links.parameters import passed_on, with_pairs, with_parameters
from collector.links.target import LinkError, check_target
from collector.links.token import Mark, Purpose, Signer, key_id_of

__all__ = [
    "JOURNEY",
    "LinkError",
    "Mark",
    "Purpose",
    "Signer",
    "check_target",
    "journey_token",
    "key_id_of",
    "passed_on",
    "recipient_of",
    "with_pairs",
    "with_parameters",
]
