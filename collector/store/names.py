"""Every Redis key name, in one place. Braces are cluster hash tags: what one script touches shares a tag."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """Make key names under one namespace."""

    namespace: str = "headwater"

    def stream(self, partition: int, name: str = "events") -> str:
        """Name the stream that the events of a partition are appended to."""
        return f"{self.namespace}:{{{partition}}}:{name}"

    def is_stream(self, key: str) -> bool:
        """Tell whether a key, known to be a stream, is one that events are appended to."""
        form = rf"{re.escape(self.namespace)}:\{{\d+\}}:[A-Za-z0-9_-]+"
        return re.fullmatch(form, key) is not None and key != self.refused

    def ids(self, partition: int) -> str:
        """Name the prefix of the sets of event ids that a partition has seen."""
        return f"{self.namespace}:{{{partition}}}:ids"

    def writer(self, partition: int, writer: str) -> str:
        """Name the last number that a writer of events had taken by a partition."""
        return f"{self.namespace}:{{{partition}}}:writer:{writer}"

    @property
    def people_writer(self) -> str:
        """Name the key of the collector that writes the index of people at the moment."""
        return f"{self.namespace}:{{people}}:writer"

    @property
    def erased(self) -> str:
        """Name the sorted set of people who were forgotten, as digests, by when."""
        return f"{self.namespace}:{{people}}:erased"

    @property
    def refused(self) -> str:
        """Name the capped stream of refusals."""
        return f"{self.namespace}:{{0}}:refused"

    @property
    def sources(self) -> str:
        """Name the hash of sources, id to JSON."""
        return f"{self.namespace}:{{sources}}:catalogue"

    @property
    def changes(self) -> str:
        """Name the stream of changes to sources."""
        return f"{self.namespace}:{{sources}}:changes"

    def history(self, source: str) -> str:
        """Name the capped stream of what was changed at a source."""
        return f"{self.namespace}:{{sources}}:history:{source}"

    def salt(self, day: int) -> str:
        """Name the salt of a day, counted since 1970."""
        return f"{self.namespace}:{{salts}}:{day}"

    def late(self, day: int) -> str:
        """Name the sorted set of visitors whose session goes on into a day, by when they were seen."""
        return f"{self.namespace}:{{salts}}:late:{day}"

    def deliveries(self, source: str) -> str:
        """Name the capped stream of a webhook source's last deliveries."""
        return f"{self.namespace}:{{deliveries}}:{source}"

    def trackers(self, source: str) -> str:
        """Name the hash of a source's rendered trackers, digest to bytes."""
        return f"{self.namespace}:{{trackers}}:{source}"

    def stats(self, source: str) -> str:
        """Name the prefix of a source's counts, top lists and visitors."""
        return f"{self.namespace}:{{stats:{source}}}"

    def quota(self, source: str, period: str) -> str:
        """Name the count of events that a source has taken in a day or month."""
        return f"{self.namespace}:{{stats:{source}}}:quota:{period}"

    def imports(self, source: str) -> str:
        """Name the hash of how far archives were imported into a source, by their digests."""
        return f"{self.namespace}:{{stats:{source}}}:imports"

    @property
    def short_links(self) -> str:
        """Name the hash of short links, id to JSON."""
        return f"{self.namespace}:{{links}}:short"

    def clicks(self, digest: str) -> str:
        """Name the last clicks on one mail to one recipient, by their digest."""
        return f"{self.namespace}:{{mails}}:clicks:{digest}"

    @property
    def withdrawals(self) -> str:
        """Name the hash of recipients of mails who have withdrawn, digest to time."""
        return f"{self.namespace}:{{mails}}:withdrawn"

    @property
    def accounts(self) -> str:
        """Name the hash of accounts, name to JSON."""
        return f"{self.namespace}:{{access}}:accounts"

    @property
    def tokens(self) -> str:
        """Name the hash of API tokens, id to JSON."""
        return f"{self.namespace}:{{access}}:tokens"

    @property
    def tokens_used(self) -> str:
        """Name the hash of when each API token was last used."""
        return f"{self.namespace}:{{access}}:tokens:used"

    def session(self, digest: str) -> str:
        """Name the hash of a session, by the digest of its cookie."""
        return f"{self.namespace}:{{access}}:session:{digest}"

    def sessions(self, account: str) -> str:
        """Name the set of an account's sessions."""
        return f"{self.namespace}:{{access}}:sessions:{account}"

    def invitation(self, digest: str) -> str:
        """Name an invitation, by the digest of its token."""
        return f"{self.namespace}:{{access}}:invitation:{digest}"

    def tries(self, what: str) -> str:
        """Name the count of tries to sign in by an account, an address or both."""
        return f"{self.namespace}:{{access}}:tries:{what}"

    def topic(self, stream: str) -> str:
        """Name the topic of Kafka that a stream is, when Kafka keeps the streams."""
        return f"{self.namespace}.{stream}"

    @property
    def queues(self) -> str:
        """Name the hash of how the readers of brokers are, process to JSON."""
        return f"{self.namespace}:{{workers}}:queues"

    @property
    def workers(self) -> str:
        """Name the hash of the collectors that run, id to JSON."""
        return f"{self.namespace}:{{workers}}:roll"

    def queue_turn(self, source: str) -> str:
        """Name who reads a source that one worker at a time may read."""
        return f"{self.namespace}:{{workers}}:queue:{source}"

    def queue_ids(self, source: str) -> str:
        """Name the hash of ids given to a source's messages that have none, until they are acknowledged."""
        return f"{self.namespace}:{{workers}}:queue:{source}:ids"
