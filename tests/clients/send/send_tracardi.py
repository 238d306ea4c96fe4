"""Two events of one visit through tracardi-track-client. Arguments: its folder, host, source id."""

import sys

folder, host, source = sys.argv[1:]
sys.path.insert(0, folder)

from tracardi_track_client.tracker import track  # noqa: E402

for kind in ("page-view", "purchase"):
    track(host, source, "p1", "s1", kind, {"total": 3})
