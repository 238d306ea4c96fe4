"""Protocols: one dialect a file. Each turns a hit into events and knows nothing else."""

from collector.protocols.batch import Batch, Limits, Protocol

__all__ = ["Batch", "Limits", "Protocol"]
