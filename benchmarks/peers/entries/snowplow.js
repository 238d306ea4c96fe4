snowplowBrowserTracking.newTracker('sp', COLLECT, { appId: 'site' });
snowplowBrowserTracking.trackPageView();
window.send = (action, { text }) =>
  snowplowBrowserTracking.trackStructEvent({ category: 'test', action, label: text });
