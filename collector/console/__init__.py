"""The console listener: pages for the people who run the collector, and its metrics."""

from collector.console.guard import guard, headers
from collector.console.parts import Parts
from collector.console.routes import console_routes

__all__ = ["Parts", "console_routes", "guard", "headers"]
