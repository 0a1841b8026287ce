import { readUsage } from './read-usage.ts';
import type { Usage } from './read-usage.ts';

/** So much of the end of an embedding's reply has its count, which comes last. */
export const TAIL_BYTES = 64;

const LAST_COUNT = /"prompt_eval_count":(\d{1,10})\}\s*$/;

/**
 * The count of an embedding's reply from its last bytes, without parsing the vectors: what was used
 * is known then, whatever becomes of the rest. Null: it is not there.
 */
export function readTailUsage(tail: Uint8Array): Usage | null {
  const count = LAST_COUNT.exec(Buffer.from(tail).toString('latin1'))?.[1];
  return count === undefined ? null : readUsage({ prompt_eval_count: Number(count) });
}
