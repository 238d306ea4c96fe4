import { init, track } from '@plausible-analytics/tracker';

init({ domain: 'example.com', endpoint: `${COLLECT}/api/event`, captureOnLocalhost: true, logging: false });
window.send = (name, props) => track(name, { props });
