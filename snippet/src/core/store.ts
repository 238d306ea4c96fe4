// Small memory: it outlasts the page in the privacy mode `cookie`, and only until then otherwise or where denied.
import { config } from './config.ts';
import { guard } from './safe.ts';

const memory: Record<string, [time: number, value: any]> = {};

/** What was kept under `key` less than `seconds` ago. */
export const recall = (key: string, seconds: number): any => {
  const [time, value] = guard(() => JSON.parse(localStorage['hw:' + key])) || memory[key] || [0];
  return time > Date.now() - seconds * 1e3 ? value : undefined;
};

export const remember = (key: string, value: unknown): void => {
  memory[key] = [Date.now(), value];
  // Without consent the features wait too: `config.memory` is set until it is given.
  if (config.privacy === 'cookie' && !config.memory) guard(() => (localStorage['hw:' + key] = JSON.stringify(memory[key])));
};
