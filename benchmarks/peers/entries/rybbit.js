import rybbit from '@rybbit/js';

rybbit.init({ analyticsHost: `${COLLECT}/api`, siteId: '1' });
window.send = (name, properties) => rybbit.event(name, properties);
