Countly.init({ app_key: 'key', url: COLLECT });
Countly.track_sessions();
Countly.track_pageview();
window.send = (key, segmentation) => Countly.add_event({ key, segmentation });
