"""Who gets in: accounts, sessions, tokens and roles. The console and the API ask here and know no more."""

from collector.access.accounts import Account
from collector.access.desk import Access, Caller
from collector.access.errors import AccessError, ThrottledError
from collector.access.invitations import Invitation
from collector.access.roles import SCOPES, Role
from collector.access.sessions import Session
from collector.access.tokens import ApiToken

__all__ = [
    "SCOPES",
    "Access",
    "AccessError",
    "Account",
    "ApiToken",
    "Caller",
    "Invitation",
    "Role",
    "Session",
    "ThrottledError",
]
