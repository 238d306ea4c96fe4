// Follow a feed of server-sent events, and begin again when it ends: a browser gives up at an answer that is no feed.
// Over plain http a browser has six lines to a server, for all its tabs: one that is out of sight lets go of its own.
const AGAIN_MS = 1000;
const OUT_OF_SIGHT_MS = 60000;

function follow(url, handlers, backInSight) {
  const path = url.split('?')[0];
  let feed;
  let timer;

  function open(address) {
    feed = new EventSource(address);
    for (const [kind, handle] of Object.entries(handlers)) feed.addEventListener(kind, handle);
    feed.addEventListener('error', () => {
      if (feed?.readyState === EventSource.CLOSED) setTimeout(() => feed && open(path), AGAIN_MS);
    });
  }

  function rest() {
    feed.close();
    feed = null;
  }

  function look() {
    clearTimeout(timer);
    if (document.hidden) return void (timer = setTimeout(rest, OUT_OF_SIGHT_MS));
    if (feed) return;
    open(path);
    backInSight();
  }

  open(url);
  look();
  document.addEventListener('visibilitychange', look);
}
