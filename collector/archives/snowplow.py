"""Snowplow's enriched events: lines of 131 columns, read by the dialect once they have their old names.

Columns: https://docs.snowplow.io/docs/fundamentals/canonical-event/ (read on 2026-11-29).
"""

from __future__ import annotations

from typing import Any

import orjson

from collector.archives.item import Format, Item, moment
from collector.model import Reason, Refusal
from collector.protocols.dialect import Call
from collector.protocols.snowplow import SNOWPLOW

COLUMNS = (  # noqa: SIM905 - the line that its documents give, instead of 131
    "app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker"
    " v_tracker v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx"
    " network_userid geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name"
    " ip_isp ip_organization ip_domain ip_netspeed page_url page_title page_referrer page_urlscheme"
    " page_urlhost page_urlport page_urlpath page_urlquery page_urlfragment refr_urlscheme refr_urlhost"
    " refr_urlport refr_urlpath refr_urlquery refr_urlfragment refr_medium refr_source refr_term mkt_medium"
    " mkt_source mkt_term mkt_content mkt_campaign contexts se_category se_action se_label se_property"
    " se_value unstruct_event tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state"
    " tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity pp_xoffset_min pp_xoffset_max"
    " pp_yoffset_min pp_yoffset_max useragent br_name br_family br_version br_type br_renderengine br_lang"
    " br_features_pdf br_features_flash br_features_java br_features_director br_features_quicktime"
    " br_features_realplayer br_features_windowsmedia br_features_gears br_features_silverlight br_cookies"
    " br_colordepth br_viewwidth br_viewheight os_name os_family os_manufacturer os_timezone dvce_type"
    " dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height tr_currency"
    " tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone"
    " mkt_clickid mkt_network etl_tags dvce_sent_tstamp refr_domain_userid refr_dvce_tstamp derived_contexts"
    " domain_sessionid derived_tstamp event_vendor event_name event_format event_version event_fingerprint"
    " true_tstamp"
).split()
_SENT_AS = {
    "app_id": "aid",
    "platform": "p",
    "event_id": "eid",
    "name_tracker": "tna",
    "v_tracker": "tv",
    "user_id": "uid",
    "user_ipaddress": "ip",
    "domain_userid": "duid",
    "domain_sessionid": "sid",
    "domain_sessionidx": "vid",
    "network_userid": "tnuid",
    "page_url": "url",
    "page_title": "page",
    "page_referrer": "refr",
    "contexts": "co",
    "unstruct_event": "ue_pr",
    "useragent": "ua",
    "br_lang": "lang",
    "os_timezone": "tz",
    "se_category": "se_ca",
    "se_action": "se_ac",
    "se_label": "se_la",
    "se_property": "se_pr",
    "se_value": "se_va",
    "pp_xoffset_min": "pp_mix",
    "pp_xoffset_max": "pp_max",
    "pp_yoffset_min": "pp_miy",
    "pp_yoffset_max": "pp_may",
    "tr_orderid": "tr_id",
    "tr_affiliation": "tr_af",
    "tr_total": "tr_tt",
    "tr_tax": "tr_tx",
    "tr_shipping": "tr_sh",
    "tr_city": "tr_ci",
    "tr_state": "tr_st",
    "tr_country": "tr_co",
    "tr_currency": "tr_cu",
    "ti_orderid": "ti_id",
    "ti_sku": "ti_sk",
    "ti_name": "ti_nm",
    "ti_category": "ti_ca",
    "ti_price": "ti_pr",
    "ti_quantity": "ti_qu",
    "ti_currency": "ti_cu",
}
_TIMES = {"dvce_created_tstamp": "dtm", "dvce_sent_tstamp": "stm", "true_tstamp": "ttm"}
_EVENTS = {
    "page_view": "pv",
    "page_ping": "pp",
    "struct": "se",
    "unstruct": "ue",
    "transaction": "tr",
    "transaction_item": "ti",
}


def _enriched(raw: bytes, _site: str) -> Item:
    told = raw.decode(errors="replace").split("\t")
    if len(told) not in {len(COLUMNS) - 1, len(COLUMNS)}:  # the last one is empty as a rule
        raise Refusal(Reason.BAD_LINE, f"A line has {len(COLUMNS)} columns, and this one {len(told)}.")
    row = {name: value for name, value in zip(COLUMNS, told, strict=False) if value}
    payload = {_SENT_AS.get(name, name): value for name, value in row.items() if name not in _TIMES}
    payload["e"] = _EVENTS.get(payload.pop("event", ""), "")
    for name, key in _TIMES.items():
        if (at := moment(row.get(name))) is not None:
            payload[key] = str(at)
    body = orjson.dumps({"data": [payload]})
    sent = SNOWPLOW.read(Call(body, headers={"Content-Type": "application/json"}))
    headers = {"User-Agent": row["useragent"]} if "useragent" in row else {}
    return Item(sent.protocol, moment(row.get("collector_tstamp")), headers, row.get("user_ipaddress"))


FORMATS: dict[str, Any] = {
    "snowplow-enriched": Format("Snowplow's enriched events, in tab-separated columns", "lines", _enriched)
}
