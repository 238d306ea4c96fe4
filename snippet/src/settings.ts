// Every setting of the tracker. The manifest says the same with defaults and help, and a test compares the two.
export interface Config {
  /** Name of the global function. */
  global?: string;
  /** Where events go, when not next to the script. */
  endpoint?: string;
  /** Count views only when the site calls `page`. */
  manual?: boolean;
  /** Keep undelivered events in memory only, never in localStorage. */
  memory?: boolean;
  /** Whether cookies of the collector's site go along. */
  credentials?: RequestCredentials;
  /** `cookie` lets the tracker keep a visitor id, a session and a campaign; otherwise it keeps none. */
  privacy?: 'cookieless' | 'cookie' | 'anonymous';
  /** Domain of the visitor id's cookie, to share it between subdomains. */
  domain?: string;
  /** A new campaign starts a new session. */
  campaigns?: boolean;
  /** Use the page's canonical address. */
  canonical?: boolean;
  /** Pattern and replacement pairs that clean addresses. */
  clean?: [pattern: string, replacement: string][];
  /** Endings that make a link a download, separated by `|`. */
  downloads?: string;
  /** Fields whose values may be sent. */
  formValues?: string[];
  /** Seconds between two heartbeats of a page that is read. */
  heartbeat?: number;
  /** Days that a campaign is remembered. */
  attributionDays?: number;
  /** Do not honour Global Privacy Control. */
  ignoreGpc?: boolean;
  /** Honour Do Not Track. */
  dnt?: boolean;
  /** Query parameters that hold what visitors searched for, separated by `|`. */
  search?: string;
  /** Domains, exactly, that share visitors with this one. */
  domains?: string[];
  /** Share of visitors that are counted, from 0 to 1. */
  sample?: number;
  /** What shows that the file was served not long ago. */
  token?: string;
  /** Nothing is sent or stored before consent is given. */
  consent?: 'required';
}
