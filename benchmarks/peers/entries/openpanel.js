import { OpenPanel } from '@openpanel/web';

const openpanel = new OpenPanel({ apiUrl: `${COLLECT}/api`, clientId: 'site', trackScreenViews: true });
window.send = (name, properties) => openpanel.track(name, properties);
