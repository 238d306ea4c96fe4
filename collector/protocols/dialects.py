"""The dialects of other systems by their names."""

from __future__ import annotations

from collector.protocols.amplitude import AMPLITUDE
from collector.protocols.ga4 import GA4
from collector.protocols.matomo import MATOMO
from collector.protocols.mixpanel import MIXPANEL
from collector.protocols.plausible import PLAUSIBLE
from collector.protocols.posthog import POSTHOG
from collector.protocols.reports import REPORTS
from collector.protocols.snowplow import SNOWPLOW
from collector.protocols.umami import UMAMI
from collector.protocols.vitals import VITALS

DIALECTS = {
    dialect.name: dialect
    for dialect in (PLAUSIBLE, UMAMI, POSTHOG, MATOMO, SNOWPLOW, GA4, AMPLITUDE, MIXPANEL, REPORTS, VITALS)
}
