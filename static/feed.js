// Follow a feed of server-sent events, and begin again when it ends: a browser gives up at an answer that is no feed.
const AGAIN_MS = 1000;

function follow(url, handlers) {
  const feed = new EventSource(url);
  for (const [kind, handle] of Object.entries(handlers)) feed.addEventListener(kind, handle);
  feed.addEventListener('error', () => {
    if (feed.readyState === EventSource.CLOSED) setTimeout(() => follow(url.split('?')[0], handlers), AGAIN_MS);
  });
}
