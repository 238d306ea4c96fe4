"""The options: what can be set, the forms that values have, and how they are read."""

from collector.settings.load import PREFIX, SettingsError, load
from collector.settings.options import Settings

__all__ = ["PREFIX", "Settings", "SettingsError", "load"]
