"""Links of mails: signed tokens, and the rules for where a link may lead. Pure functions, no I/O."""

from collector.links.parameters import passed_on, with_pairs, with_parameters
from collector.links.target import LinkError, check_target
from collector.links.token import Mark, Purpose, Signer, key_id_of

__all__ = [
    "LinkError",
    "Mark",
    "Purpose",
    "Signer",
    "check_target",
    "key_id_of",
    "passed_on",
    "with_pairs",
    "with_parameters",
]
