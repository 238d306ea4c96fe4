"""Roles of accounts and the scopes that they and API tokens have."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """What an account may do; each role may do all that those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def covers(self, other: Role) -> bool:
        """Tell whether this role may do what the other may."""
        return _ORDER.index(self) >= _ORDER.index(other)

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that come with the role."""
        return frozenset(scope for scope, (least, _) in SCOPES.items() if self.covers(least))


_ORDER = (Role.VIEWER, Role.EDITOR, Role.ADMIN)

# Each scope with the least role that has it, and what it lets do.
SCOPES: dict[str, tuple[Role, str]] = {
    "sources:read": (Role.VIEWER, "See sources, their snippets, statements and history."),
    "sources:write": (Role.EDITOR, "Create, change, switch and remove sources."),
    "keys:write": (Role.EDITOR, "Make, rotate and revoke write keys."),
    "links:write": (Role.EDITOR, "Sign links and instrument mails."),
    "events:read": (Role.VIEWER, "See events and refusals as they arrive."),
    "events:write": (Role.EDITOR, "Try hits and send test events."),
    "stats:read": (Role.VIEWER, "See figures, health and metrics."),
    "people:read": (Role.EDITOR, "Find and export what is held of a person."),
    "people:write": (Role.ADMIN, "Forget a person and withdraw consent."),
}
