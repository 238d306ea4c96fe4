import { jitsuAnalytics } from '@jitsu/js';

const jitsu = jitsuAnalytics({ host: COLLECT, writeKey: 'key:secret' });
jitsu.page();
window.send = (name, properties) => jitsu.track(name, properties);
