// The end of every composed file: every feature is in place, so the calls that waited are answered and the view counts.
import { watch } from '../core/begin.ts';
import { api, call, state } from '../core/emit.ts';
import { guard } from '../core/safe.ts';
import type { Call } from '../core/types.ts';
import { calls, stub } from './stub.ts';

const answer = ([time, args, resolve]: Call): void => {
  state._calledAt = time;
  resolve(guard(call, ...args));
  state._calledAt = 0;
};

for (const method in api) stub[method] = stub.bind(0, method);
// From now on a call is answered at once, also one that a call makes.
calls.map((calls.push = answer as () => number));
watch();
