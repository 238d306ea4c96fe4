import PostHog from 'posthog-js-lite';

const posthog = new PostHog('key', { host: COLLECT, captureHistoryEvents: true });
posthog.capture('$pageview');
window.send = (name, properties) => posthog.capture(name, properties);
