swetrix.init('site', { apiURL: `${COLLECT}/log`, devMode: true });
swetrix.trackViews();
window.send = (ev, meta) => swetrix.track({ ev, meta });
