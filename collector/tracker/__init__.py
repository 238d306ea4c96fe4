"""The tracker's room: rendering, serving, and the tag to paste."""

from collector.tracker.render import Rendered, render
from collector.tracker.snippet import about_pinning, snippet
from collector.tracker.views import TrackerViews

__all__ = ["Rendered", "TrackerViews", "about_pinning", "render", "snippet"]
