/** A script's reply as it comes: a word, Redis's time, and what the word brings with it. */
export interface Reply<Word extends string> {
  readonly word: Word;
  /** Redis's time, ms since 1970; NaN from `settle`, which is not asked for it. */
  readonly nowMs: number;
  readonly rest: readonly unknown[];
}

/**
 * Types the words of a script's reply.
 * @throws TypeError for a word that the script does not say
 */
export function readReply<const Word extends string>(
  script: string,
  raw: unknown,
  words: readonly Word[],
): Reply<Word> {
  const [said, now, ...rest] = raw as [unknown, unknown, ...unknown[]];
  const word = words.find((known) => known === said);
  if (word === undefined) throw new TypeError(`${script} replied ${String(said)}`);
  return { word, nowMs: Number(now), rest };
}
