const segment = AnalyticsNext.AnalyticsBrowser.load(
  { writeKey: 'key', cdnURL: COLLECT },
  { integrations: { 'Segment.io': { apiHost: `${COLLECT.slice(7)}/v1`, protocol: 'http' } } },
);
segment.page();
window.send = (name, properties) => segment.track(name, properties);
