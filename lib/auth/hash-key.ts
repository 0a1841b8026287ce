import { hash, parseOptions } from '@node-rs/argon2';

/** What one Argon2id computation costs. */
export interface HashCost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

const PHC_PREFIX = '$argon2id$v=19$';

/** Argon2id of the whole key, as a PHC string (`$argon2id$v=19$…`) with a salt of its own. */
export function hashKey(key: string, cost: HashCost): Promise<string> {
  return hash(key, toOptions(cost));
}

/** The library's names for a cost. Its defaults are Argon2id, version 19, 32 bytes. */
export function toOptions(cost: HashCost): {
  memoryCost: number;
  timeCost: number;
  parallelism: number;
} {
  return { memoryCost: cost.memoryKib, timeCost: cost.passes, parallelism: cost.lanes };
}

/** Whether a stored hash was made with less than what is asked today. Throws on what is no PHC string. */
export function isWeakerThan(phc: string, cost: HashCost): boolean {
  if (!phc.startsWith(PHC_PREFIX)) return true;
  const stored = parseOptions(phc);
  return stored.memoryCost < cost.memoryKib || stored.timeCost < cost.passes;
}
