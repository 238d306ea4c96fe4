// What a composed file is made of, in the order of joining: the base, helpers that features share, features (those that
// may stop an event first; else in the order that compresses best), delivery, the start. `files` (default: features/<name>) are joined into one fragment;
// `requires` come along by themselves; `config` names the settings that a fragment reads; `instead` is what
// takes a fragment's place when anything else is chosen with it; `rare`: settings that few sources make; the others
// are served a fragment that does not ask for them, unless one that is chosen too `sets` them while the page lives;
// `sure`: nothing in its start can fail, so it needs no guard.

export const fragments = [
  {
    name: 'base',
    files: ['core/now', 'core/safe', 'served/config', 'core/choice', 'core/emit', 'core/begin', 'served/stub'],
    requires: ['boot'],
    config: ['global', 'endpoint', 'manual'],
    rare: ['global', 'endpoint', 'manual'],
    help: 'Views, events, people, groups, and the calls that waited in the stub',
  },
  { name: 'slices', files: ['core/slices'], requires: ['base'], help: 'The start in slices' },
  { name: 'track', files: ['core/track'], requires: ['base'], help: 'What most features call' },
  { name: 'ids', files: ['delivery/ids'], requires: ['base'], help: 'UUIDv7' },
  {
    name: 'store',
    files: ['core/store'],
    requires: ['base'],
    config: ['memory', 'privacy'],
    help: 'Small memory in localStorage, in the privacy mode `cookie`',
  },
  { name: 'resume', files: ['core/resume'], requires: ['base'], help: 'Letting go of held events' },
  { name: 'press', files: ['core/press'], requires: ['base'], help: 'What is pressed' },
  {
    name: 'cookie',
    files: ['core/cookie'],
    requires: ['base'],
    config: ['domain'],
    rare: ['domain'],
    help: 'The visitor id’s cookie',
  },
  { name: 'alive', files: ['core/alive'], requires: ['base'], help: 'Signs of life' },
  { name: 'leaving', files: ['core/leaving'], requires: ['base'], help: 'The end of a view' },
  // Before the first feature that lets the page go on: a script is the current one only until then.
  { name: 'attributes', requires: ['base'], help: 'Properties and user from the script tag' },
  {
    name: 'privacy',
    requires: ['base'],
    config: ['ignoreGpc', 'dnt'],
    rare: ['dnt', 'ignoreGpc'],
    help: 'Global Privacy Control, Do Not Track',
  },
  { name: 'sampling', requires: ['slices', 'store'], config: ['sample'], help: 'Counts a share of visitors' },
  {
    name: 'consent',
    requires: ['resume', 'cookie'],
    config: ['memory', 'consent'],
    sets: ['memory'],
    help: 'Nothing is sent or stored before consent',
  },
  { name: 'consentsignals', requires: ['consent'], help: 'Reads Google Consent Mode and TCF 2.2' },
  { name: 'title', requires: ['leaving', 'resume'], help: 'A view waits for its title' },
  {
    name: 'visitor',
    requires: ['base', 'ids', 'cookie'],
    config: ['memory', 'privacy'],
    help: 'A first-party visitor id',
  },
  {
    name: 'session',
    requires: ['slices', 'store', 'ids'], // amid `typical`, whose start is long
    config: ['privacy', 'campaigns'],
    rare: ['campaigns'],
    help: 'Sessions of 30 minutes',
  },
  {
    name: 'crossdomain',
    requires: ['visitor', 'press'],
    config: ['domains'],
    help: 'One visitor on several domains',
  },
  {
    name: 'address',
    requires: ['base'],
    config: ['canonical', 'clean'],
    rare: ['canonical'],
    help: 'Canonical and cleaned addresses',
  },
  { name: 'search', requires: ['track'], config: ['search'], rare: ['search'], help: 'Site search' },
  {
    name: 'attribution',
    requires: ['base', 'store'],
    config: ['attributionDays'],
    rare: ['attributionDays'],
    help: 'UTM and click ids stay with later events',
  },
  { name: 'timing', requires: ['track'], help: 'Navigation and resource timing' },
  { name: 'bots', requires: ['base'], help: 'Signs of automation' },
  { name: 'clipboard', requires: ['track'], help: 'Printed and copied' },
  { name: 'visible', requires: ['slices', 'track'], help: 'Elements that were seen' },
  { name: 'errors', requires: ['track'], help: 'Script errors, each once' },
  { name: 'hints', requires: ['base'], help: 'User agent client hints' },
  { name: 'forms', requires: ['track'], config: ['formValues'], rare: ['formValues'], help: 'Forms submitted' },
  { name: 'formsteps', requires: ['forms', 'leaving'], help: 'Forms started and abandoned' },
  { name: 'autocapture', requires: ['track'], help: 'Clicks on anything that can be clicked' },
  {
    name: 'links',
    requires: ['track', 'press'],
    config: ['downloads'],
    rare: ['downloads'],
    help: 'Outbound links and file downloads',
  },
  { name: 'notfound', requires: ['track'], help: 'Pages that are not there' },
  { name: 'media', requires: ['track'], help: 'Video, audio, YouTube' },
  { name: 'engaged', requires: ['ending', 'leaving', 'alive'], help: 'Engaged time' },
  {
    name: 'heartbeat',
    requires: ['track', 'alive'],
    config: ['heartbeat'],
    rare: ['heartbeat'],
    help: 'Long reads that go on',
  },
  { name: 'ending', requires: ['track', 'leaving'], help: 'One event at the end of a view' },
  { name: 'rage', requires: ['autocapture'], help: 'Rage clicks and dead clicks' },
  { name: 'scroll', requires: ['ending'], help: 'Scroll depth' },
  { name: 'vitals', requires: ['slices', 'track', 'leaving'], help: 'LCP, CLS, INP, FCP, TTFB' },
  { name: 'tagged', requires: ['track'], help: 'Elements with data-hw-event' },
  { name: 'ecommerce', requires: ['store'], help: 'Shopping, in the words of GA4' },
  {
    name: 'context',
    files: ['core/version', 'features/context'],
    requires: ['base'],
    help: 'Screen, language, time zone, tracker version',
  },
  { name: 'classes', requires: ['track'], help: 'Elements with the class hw-event--…' },
  // Views come from here on: nothing may let the page go on before delivery stands.
  { name: 'spa', requires: ['base'], help: 'A view for every real navigation of a single-page app' },
  { name: 'hash', requires: ['base'], config: ['manual'], rare: ['manual'], help: 'Hash routes count as views' },
  {
    name: 'queue',
    files: ['delivery/queue'],
    feature: 'queued',
    sure: true,
    requires: ['base', 'ids'],
    config: ['memory', 'credentials'],
    rare: ['memory', 'credentials'],
    help: 'Durable delivery: batches, retries, a kept queue',
  },
  {
    name: 'direct',
    files: ['delivery/direct'],
    requires: ['base'],
    help: 'Delivery without memory: one request an event',
  },
  {
    name: 'token',
    files: ['served/token'],
    requires: ['base'],
    config: ['token'],
    help: 'Comes with the source’s setting `token`',
  },
  { name: 'debug', requires: ['queue'], help: '?hw-debug shows events and the collector’s verdicts' },
  {
    name: 'lite',
    files: ['lite'],
    requires: [],
    instead: ['spa', 'direct'],
    config: ['global'],
    rare: ['global'],
    help: 'A whole tracker by itself: views and events, no queue',
  },
  { name: 'boot', files: ['served/boot'], requires: ['base'], help: 'The start' },
];

const core = ['spa', 'queue'];
const typical = [...core, 'privacy', 'session', 'attribution', 'bots', 'links', 'tagged', 'forms', 'engaged', 'scroll'];

/** Not in `everything`: these are no features. */
const byName = ['direct', 'lite', 'token'];

export const presets = {
  lite: ['lite'],
  core,
  typical,
  everything: fragments.map(({ name }) => name).filter((name) => !byName.includes(name)),
};

/** Every setting: its type, its default (which is left out of the served file) and what it means. */
export const settings = {
  attributionDays: { type: 'number', default: 30, help: 'Days that a campaign stays with a visitor’s events' },
  campaigns: { type: 'boolean', default: false, help: 'A new campaign starts a new session' },
  canonical: { type: 'boolean', default: false, help: 'Use the canonical address of a page, where it names one' },
  clean: {
    type: 'pairs',
    default: [],
    help: 'Pattern and replacement pairs (JavaScript regular expressions) that clean addresses',
  },
  consent: {
    type: 'string',
    default: '',
    choices: ['', 'required'],
    help: 'Nothing is sent or stored before consent is given',
  },
  credentials: {
    type: 'string',
    default: '',
    choices: ['', 'include', 'omit', 'same-origin'],
    help: 'Whether cookies of the collector’s site go along; `include` for a visitor id that the collector sets from another host',
  },
  dnt: { type: 'boolean', default: false, help: 'Honour Do Not Track' },
  domain: { type: 'string', default: '', help: 'Domain of the visitor id’s cookie, to share it between subdomains' },
  domains: { type: 'list', default: [], help: 'Domains, exactly, that share visitors with this one' },
  downloads: {
    type: 'string',
    default: 'pdf|docx?|xlsx?|pptx?|csv|zip|gz|rar|7z|dmg|exe|apk|mp[34]',
    help: 'Endings that make a link a download',
  },
  endpoint: {
    type: 'string',
    default: '',
    help: 'Where events go, when not next to the script: for modules and bundles',
  },
  formValues: { type: 'list', default: [], help: 'Names of form fields whose values may be sent' },
  global: { type: 'string', default: 'headwater', help: 'Name of the global function' },
  heartbeat: { type: 'number', default: 60, help: 'Seconds between two heartbeats' },
  ignoreGpc: { type: 'boolean', default: false, help: 'Do not honour Global Privacy Control' },
  manual: { type: 'boolean', default: false, help: 'Views count only when the site calls `page`' },
  memory: { type: 'boolean', default: false, help: 'Keep undelivered events in memory only, never in localStorage' },
  privacy: {
    type: 'string',
    default: 'cookieless',
    choices: ['cookieless', 'cookie', 'anonymous'],
    help: 'In the mode `cookie` the tracker may keep a visitor id, a session and a campaign',
  },
  sample: { type: 'number', default: 1, help: 'Share of visitors that are counted, from 0 to 1' },
  search: {
    type: 'string',
    default: 'q|query|s|search',
    help: 'Query parameters that hold what visitors searched for',
  },
  token: { type: 'string', default: '', help: 'Comes with the source’s setting `token`' },
};
