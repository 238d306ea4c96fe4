// The end of every composed file: every feature is in place, so the calls that waited are answered and the view counts.
import { lookSoon } from '../core/begin.ts';
import { api, emit } from '../core/emit.ts';
import { guard } from '../core/safe.ts';
import type { Call } from '../core/types.ts';
import { calls, record } from './stub.ts';

const answer = ([time, args, resolve]: Call): void => resolve(guard(emit, time, ...args));

for (const method in api) record[method] = record.bind(0, method);
// From now on a call is answered at once, also one that a call makes.
calls.map((calls.push = answer as () => number));
lookSoon();
