// A batch: what travels together, is kept together and is answered together.
import { endpoint } from '../core/config.ts';
import { uuid } from './ids.ts';
import { read, write } from './store.ts';
import type { Envelope, TrackerEvent, Verdict } from '../core/types.ts';

export interface Body extends Envelope {
  batch: TrackerEvent[];
  batchId: string;
}
export interface Batch {
  _body: Body;
  _bytes: number;
  _flying?: boolean;
  /** Attempted: it does not grow any more. */
  _sealed?: boolean;
  /** The copy in storage belongs to this page until then; other pages may take it after. */
  _lease: number;
  /** When it was last given to the browser without an answer. */
  _unsure: number;
  /** The copy in storage as this page wrote it. */
  _copy?: string | undefined;
}
export type Waiting = Record<string, (verdict?: Verdict) => void>;

export const prefix = (): string => `hw:${endpoint}:`;
const key = (batch: Batch): string => prefix() + batch._body.batchId;

export const open = (envelope: Envelope): Batch => ({
  _body: { ...envelope, context: { ...envelope.context }, batch: [], batchId: uuid() },
  _bytes: 500,
  _lease: 0,
  _unsure: 0,
});

/** Keep a copy for a page that comes after; `lease` says until when it is ours alone. */
export const keep = (batch: Batch, lease: number): void => {
  batch._lease = lease;
  const copy = JSON.stringify([lease, batch._unsure, batch._body]);
  if (write(key(batch), copy)) batch._copy = copy;
};

export const forget = (batch: Batch): void => {
  write(key(batch), null);
};

/** Another page took it over while ours slept past its lease. */
export const taken = (batch: Batch): boolean =>
  !!batch._copy && batch._lease < Date.now() && read(key(batch)) !== batch._copy;

/** Take a kept batch that no living page holds; answers when to look again if one does. */
export const claim = (from: string): Batch | number | undefined => {
  const [lease, unsure, body] = JSON.parse(read(from)!) as [number, number, Body];
  if (lease > Date.now()) return lease;
  // The collector knows an id for an hour; what may be there already must not come later than that.
  if (unsure && Date.now() - unsure > 3e6) write(from, null);
  else return { _body: body, _bytes: 3e4, _lease: 0, _unsure: unsure, _sealed: true };
  return;
};
