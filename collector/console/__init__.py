"""The console listener: pages for the people who run the collector, and its metrics."""

from collector.console.pages import console_routes

__all__ = ["console_routes"]
