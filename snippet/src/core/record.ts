// How the tracker itself records something. In the composed file, served/stub.ts stands in this file's place.
import { now } from './now.ts';
import { emit } from './emit.ts';

export const record = (method: string, ...args: unknown[]): unknown => emit(now(), method, ...args);
