// Small memory: it outlasts the page in the privacy mode `cookie`, and only until then otherwise or where denied.
import { now } from './now.ts';
import { config } from './config.ts';
import { guard } from './safe.ts';

const memory: Record<string, [time: number, value: any]> = {};
/** Without consent `config.memory` is set until it is given. */
const lasting = (): boolean => config.privacy === 'cookie' && !config.memory;

/** What was kept under `key` less than `seconds` ago. */
export const recall = (key: string, seconds: number): any => {
  const [time, value] = guard(() => lasting() && JSON.parse(localStorage['hw:' + key])) || memory[key] || [0];
  if (time > now() - seconds * 1e3) return value;
};

export const remember = (key: string, value: unknown): void => {
  memory[key] = [now(), value];
  guard(() => lasting() && (localStorage['hw:' + key] = JSON.stringify(memory[key])));
};
