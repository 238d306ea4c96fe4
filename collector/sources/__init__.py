"""Sources: what they are made from, where they are kept, how a change reaches every collector."""

from collector.sources.catalogue import Catalogue
from collector.sources.form import SourceError, SourceForm, StaleError, check_form, plain
from collector.sources.settings import SETTINGS, WebSettings

__all__ = [
    "SETTINGS",
    "Catalogue",
    "SourceError",
    "SourceForm",
    "StaleError",
    "WebSettings",
    "check_form",
    "plain",
]
