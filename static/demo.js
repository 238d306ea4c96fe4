// The one call of the demo page that a site would write itself.
document.getElementById('track').addEventListener('click', () => {
  window.headwater('track', 'Demo clicked', { plan: 'pro' });
});
