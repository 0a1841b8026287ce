import type { Redis } from '../store/redis.ts';
import { KEYS } from './keys.ts';
import { readTimeMs } from './read-time.ts';

interface CopiedModels {
  readonly text: string;
  /** By Redis's clock alone, so that hosts with other clocks agree on it. */
  readonly ageMs: number;
}

/** The last snapshot of each upstream's models, for a primary that starts before its first poll. */
export interface ModelsCopy {
  /** Null: none, or one whose age cannot be told. */
  read(upstreamUrl: string): Promise<CopiedModels | null>;
  write(upstreamUrl: string, text: string, ttlMs: number): Promise<void>;
}

export function openModelsCopy(redis: Redis): ModelsCopy {
  return {
    async read(upstreamUrl) {
      const value = await redis.get(KEYS.models(upstreamUrl));
      const [, stamp, text] = /^(\d{1,15})\n(.*)$/s.exec(value ?? '') ?? [];
      if (stamp === undefined || text === undefined) return null;
      const ageMs = (await readTimeMs(redis)) - Number(stamp);
      // Redis's clock was set back: nobody knows how old this is.
      return ageMs < 0 ? null : { text, ageMs };
    },
    async write(upstreamUrl, text, ttlMs) {
      const stamp = await readTimeMs(redis);
      await redis.set(KEYS.models(upstreamUrl), `${stamp}\n${text}`, 'PX', Math.ceil(ttlMs));
    },
  };
}
