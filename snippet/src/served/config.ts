// The composed file's settings: `config` is the literal that the template passes in, and where events go follows
// from the script's own address, so aliases and proxies need no setting. Only a module, which cannot see its own
// address, must be told.
import { config } from '../core/config.ts';

export let endpoint =
  config.endpoint || (document.currentScript as HTMLScriptElement).src.replace(/\/s(\/[\w-]+)\..*/, '/e$1');
