amplitude.init('key', { serverUrl: `${COLLECT}/2/httpapi`, remoteConfig: { serverUrl: `${COLLECT}/config` } });
window.send = (name, properties) => amplitude.track(name, properties);
