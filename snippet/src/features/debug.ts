// `?hw-debug` on any page shows each event and what the collector said to it.
import { steps } from '../core/emit.ts';
import type { TrackerEvent, Verdict } from '../core/types.ts';

export const debug = (): void => {
  if (!/[?&]hw-debug/.test(location.search)) return;
  let list: HTMLElement | undefined;
  // Text nodes and style objects only: a strict Content-Security-Policy and Trusted Types have nothing to refuse.
  const panel = (): HTMLElement => {
    const host = document.createElement('hw-debug');
    list = document.createElement('ol');
    list.style.cssText =
      'position:fixed;right:8px;bottom:8px;z-index:2147483647;margin:0;padding:8px 8px 8px 32px;max-height:50vh;overflow:auto;background:#111;color:#eee;font:12px/1.5 monospace';
    host.attachShadow({ mode: 'open' }).append(list);
    document.documentElement.append(host);
    return list;
  };
  const show = async (event: TrackerEvent, outcome: unknown): Promise<void> => {
    const line = document.createElement('li');
    const name = event.event || event.name || event.userId || location.pathname;
    const say = (text: string): void => {
      line.textContent = `${event.type} ${name} ${JSON.stringify(event.properties || event.traits || {})}: ${text}`;
    };
    say('…');
    (list || panel()).append(line);
    const verdict = (await outcome) as Verdict | number | undefined;
    say(typeof verdict === 'object' ? [verdict.outcome, verdict.reason].filter(Boolean).join(', ') : String(verdict ?? 'sent'));
  };
  // Delivery is the last step; it is watched, not changed.
  const deliver = steps.pop()!;
  steps.push((event, envelope) => {
    const outcome = deliver(event, envelope) || undefined;
    show(event, outcome).catch(() => 0);
    return outcome;
  });
};
