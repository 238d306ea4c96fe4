// Every setting of the tracker. The manifest says the same with defaults and help; a test compares the two.
export interface Config {
  /** Name of the global function. */
  global?: string;
  /** Where events go, when not next to the script. */
  endpoint?: string;
  /** Count views only when the site calls `page`. */
  manual?: boolean;
  /** Milliseconds between two batches. */
  interval?: number;
  /** Keep undelivered events in localStorage. */
  storage?: boolean;
  /** Send cookies of the collector's site along. */
  credentials?: boolean;
}
