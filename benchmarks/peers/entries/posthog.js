posthog.init('key', { api_host: COLLECT, capture_pageview: 'history_change', person_profiles: 'identified_only' });
window.send = (name, properties) => posthog.capture(name, properties);
