// The box on Install that turns green with the first event, and shows it.
const box = document.getElementById('waiting');

function arrived(message) {
  box.classList.remove('bad');
  box.classList.add('good');
  document.getElementById('waiting-title').textContent = 'Events arrive';
  document.getElementById('waiting-text').textContent = 'This one came just now.';
  document.getElementById('waiting-entry').innerHTML = JSON.parse(message.data).row;
}

function refused(message) {
  if (box.classList.contains('good')) return;
  box.classList.add('bad');
  document.getElementById('waiting-title').textContent = 'Something came and was refused';
  document.getElementById('waiting-text').textContent = 'Still waiting for an event that is stored.';
  document.getElementById('waiting-entry').innerHTML = JSON.parse(message.data).row;
}

follow(box.dataset.feed, { ready: () => { box.dataset.ready = 'yes'; }, stored: arrived, refused }, () => location.reload());
