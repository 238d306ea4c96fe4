// A batch: what is said once for many events. It travels, is kept and is answered as one.
import type { Answer, Envelope, TrackerEvent } from '../core/types.ts';

export interface Body extends Envelope {
  batch: TrackerEvent[];
  batchId: string;
  /** While set, this batch was given to the browser and nobody knows yet what became of it. */
  sentAt?: number;
}

/** An event of this page, whose caller waits; functions are not part of JSON, so this one never travels. */
export interface Waiting extends TrackerEvent {
  _settle?: (answer: Answer) => void;
}
