// What the composed file can be made of, in the order of joining. `files` are joined into one fragment;
// `requires` come along by themselves. `base` and `boot` are in every file.

export const fragments = [
  { name: 'base', files: ['core/safe', 'core/config', 'core/emit', 'core/start'], requires: ['boot'], config: ['global', 'endpoint', 'manual'], help: 'Page views, track, the stub’s calls' },
  { name: 'spa', requires: ['base'], help: 'A view for every real navigation of a single-page app' },
  { name: 'clicks', requires: ['base'], help: 'Outbound links and buttons' },
  { name: 'queue', files: ['delivery/ids', 'delivery/store', 'delivery/batch', 'delivery/send', 'delivery/queue'], feature: 'queued', requires: ['base'], config: ['interval', 'storage', 'credentials'], help: 'Durable delivery: batches, retries, a kept queue' },
  { name: 'direct', files: ['delivery/direct'], requires: ['base'], help: 'Delivery without memory, for lite' },
  { name: 'boot', files: ['boot'], requires: ['base'], help: 'The start' },
];

export const presets = {
  lite: ['spa', 'direct'],
  core: ['spa', 'queue'],
  typical: ['spa', 'clicks', 'queue'],
};
