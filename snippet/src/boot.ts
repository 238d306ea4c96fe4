// The end of every composed file: `$` is the config that the template passes in.
import { boot } from './core/start.ts';

declare const $: import('./settings.ts').Config;
// A module has no currentScript; its tag is found by its address.
boot($, (document.currentScript || document.querySelector('script[src*="/s/"]')) as HTMLScriptElement | null);
