// The one cookie that the tracker may keep.
import { config } from './config.ts';

export const bake = (value: string, seconds: number): string =>
  (document.cookie = `hw_id=${value};path=/;max-age=${seconds};samesite=lax;domain=${config.domain || ''}`);
