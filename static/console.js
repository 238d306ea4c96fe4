// What every page of the console shares: the theme's button, copy buttons, asking before what cannot be undone.
const root = document.documentElement;
const button = document.getElementById('theme');

function dark() {
  return root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

if (button) {
  button.hidden = false;
  button.addEventListener('click', () => {
    root.dataset.theme = dark() ? 'light' : 'dark';
    try { localStorage.setItem('theme', root.dataset.theme); } catch { /* for this page only, then */ }
  });
}

// A copy button stands in the same box as the text it copies.
for (const box of document.querySelectorAll('[data-copy]')) {
  const copy = document.createElement('button');
  copy.type = 'button';
  copy.className = 'copy';
  copy.textContent = 'Copy';
  if (box.dataset.copy) copy.setAttribute('aria-label', `Copy ${box.dataset.copy}`);
  copy.addEventListener('click', async () => {
    const text = box.querySelector('pre, code, output').textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no permission, or not a secure context: select it for the keyboard
      getSelection().selectAllChildren(box.querySelector('pre, code, output'));
      copy.textContent = 'Press Ctrl+C';
      return;
    }
    copy.textContent = 'Copied';
    setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
  });
  box.append(copy);
}

for (const form of document.querySelectorAll('form[data-sure]')) {
  form.addEventListener('submit', (event) => {
    if (!confirm(form.dataset.sure)) event.preventDefault();
  });
}

// On a phone the tabs are wider than the screen: show the one that is open.
document.querySelector('.tabs [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

// Filters apply at once; without script their button does it.
for (const select of document.querySelectorAll('select[data-submit]')) {
  select.addEventListener('change', () => select.form.requestSubmit());
}
