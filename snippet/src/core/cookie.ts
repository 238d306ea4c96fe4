// The one cookie that the tracker may keep.
import { config } from './config.ts';

export const cookie = 'hw_id';
export const bake = (value: string, seconds: number): string =>
  (document.cookie = `${cookie}=${value};path=/;max-age=${seconds};samesite=lax;domain=${config.domain || ''}`);
