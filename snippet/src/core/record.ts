// How the tracker itself records something. In the composed file, served/stub.ts stands in this file's place.
import { emit } from './emit.ts';

export const record = (method: string, ...args: unknown[]): unknown => emit(Date.now(), method, ...args);
