window.send = (name, properties) => mixpanel.track(name, properties);
