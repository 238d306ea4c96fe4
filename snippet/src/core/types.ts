// The words that the whole tracker speaks: what an event is on the wire, and what the collector answers.

export type EventType = 'page' | 'track' | 'identify' | 'group' | 'alias';
export type Properties = Record<string, unknown>;

export interface TrackerEvent {
  type: EventType;
  messageId?: string;
  event?: string | undefined;
  name?: string | undefined;
  properties?: Properties | undefined;
  traits?: Properties | undefined;
  userId?: string | undefined;
  groupId?: string | undefined;
  previousId?: string | undefined;
  originalTimestamp: number;
  context?: Properties;
}

/** What is said once for a whole batch: who, and where. */
export interface Envelope {
  anonymousId?: string | undefined;
  userId?: string | undefined;
  sessionId?: string | undefined;
  context: Properties;
}

/** What became of one event; `dropped` never left the browser. */
export interface Verdict {
  messageId?: string;
  outcome?: 'stored' | 'duplicate' | 'refused' | 'dropped';
  reason?: string;
  message?: string;
}

/** What the collector said of the batch; where some of it were refused, with what became of this event. */
export interface Answer extends Verdict {
  status: number;
  headers: Headers;
}
/** Resolves once the collector has answered for the event. */
export type Outcome = Promise<Answer | Verdict | undefined> | Verdict | undefined;
/** A step adds to an event and its envelope; one that answers has dealt with the event. */
export type Step = (event: TrackerEvent, envelope: Envelope) => Outcome | void;
/** What a visitor agrees to, category by category, and `out`: whether to be left out of it all. */
export type Choice = Record<string, unknown>;
export type Feature = () => void;
export type Method = (...args: any[]) => unknown;
/** A call kept by the stub: when, what, and who waits for it. */
export type Call = [time: number, args: [method: string, ...rest: unknown[]], resolve: (value: unknown) => void];
export type Stub = Method & { q?: Call[] } & Record<string, any>;
