import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';

const rudder = new RudderAnalytics();
rudder.load('key', COLLECT, { configUrl: COLLECT });
rudder.page();
window.send = (name, properties) => rudder.track(name, properties);
