// Live: rows come ready-made and escaped from the server; here they are placed, filtered, held back and counted.
const MOST = 200;
const box = document.getElementById('live');
const state = document.getElementById('live-state');
const pause = document.getElementById('pause');
const filter = document.getElementById('filter');
const lists = { stored: document.getElementById('stored'), refused: document.getElementById('refused') };
let held = [];
let paused = false;
let unseen = 0;
let away = false;

function fits(row) {
  return row.textContent.toLowerCase().includes(filter.value.trim().toLowerCase());
}

function place(kind, html) {
  const list = lists[kind];
  list.insertAdjacentHTML('afterbegin', html);
  const row = list.firstElementChild;
  if (list.querySelectorAll(`[data-entry="${CSS.escape(row.dataset.entry)}"]`).length > 1) return row.remove();
  row.hidden = !fits(row);
  document.getElementById(`${kind}-empty`).hidden = true;
  while (list.children.length > MOST) list.lastElementChild.remove();
}

function tell(text) {
  if (unseen) text += ` ${unseen} came too fast to be shown.`;
  if (away) text += ' Reload the page for what came while it was out of sight.';
  state.textContent = text;
}

function take(kind, html) {
  if (!paused) return place(kind, html);
  held.push([kind, html]);
  if (held.length > MOST) held.shift();
  tell(`Paused; ${held.length} waiting.`);
}

pause.hidden = false;
pause.addEventListener('click', () => {
  paused = !paused;
  pause.setAttribute('aria-pressed', paused);
  if (!paused) for (const [kind, html] of held.splice(0)) place(kind, html);
  tell(paused ? 'Paused.' : 'Watching.');
});

filter.addEventListener('input', () => {
  for (const row of document.querySelectorAll('.entry')) row.hidden = !fits(row);
});

follow(box.dataset.feed, {
  stored: (message) => take('stored', JSON.parse(message.data).row),
  refused: (message) => take('refused', JSON.parse(message.data).row),
  more: () => { unseen += 1; tell(paused ? 'Paused.' : 'Watching.'); },
  ready: () => { box.dataset.ready = 'yes'; tell(paused ? 'Paused.' : 'Watching.'); },
  error: () => tell('The line is cut; trying again.'),
}, () => { away = true; });
