import { inTime } from '../time/in-time.ts';

/** Redis did not answer in time, or refused; what was asked may still be carried out. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Postgres ends a silent session; a Redis that hangs must not make ours one. */
const BEAT_MS = 500;
const MOST_BEATS = 4;

/**
 * What Redis answers, within two seconds; meanwhile the session of the shard's lock is kept from
 * falling silent. Rejects with NoAnswerError, or as the beat does.
 */
export async function askRedis<T>(asked: Promise<T>, beat: () => Promise<void>): Promise<T> {
  const answer = asked.then(
    (value) => ({ value }),
    (cause: unknown) => {
      throw new NoAnswerError('Redis cannot be asked', { cause });
    },
  );
  // It may fail when nobody waits for it any more.
  answer.catch(() => undefined);
  for (let beats = 0; ; beats += 1) {
    const got = await inTime<{ value: T } | null>(BEAT_MS, answer, () => null);
    if (got) return got.value;
    if (beats === MOST_BEATS - 1) throw new NoAnswerError('Redis did not answer in time');
    await beat();
  }
}
