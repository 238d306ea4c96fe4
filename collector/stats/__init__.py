"""The numbers behind the console's charts: counted as events pass, kept in Redis, bounded."""

from collector.stats.counters import NOBODY, Counters
from collector.stats.quotas import Quotas
from collector.stats.report import REPORTS, Figures, Overview, Points, Report, Top
from collector.stats.tally import DIMENSIONS

__all__ = [
    "DIMENSIONS",
    "NOBODY",
    "REPORTS",
    "Counters",
    "Figures",
    "Overview",
    "Points",
    "Quotas",
    "Report",
    "Top",
]
