import { readShow } from '../ollama/models/read-show.ts';
import type { ShownModel } from '../ollama/models/read-show.ts';
import type { Clock } from '../time/clock.ts';
import type { Candidate } from './choose-models.ts';

const CONCURRENT = 4;

/** Asks the upstream's /api/show for one name. */
export type AskShow = (name: string) => Promise<unknown>;

export interface ShowsParts {
  readonly candidates: readonly Candidate[];
  /** By digest; what is here is not asked again. */
  readonly known: ReadonlyMap<string, ShownModel>;
  readonly ask: AskShow;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** After it no further question is begun: the rest is left for the next poll. */
  readonly budgetMs: number;
}

/**
 * The /api/show of each candidate's digest, four at a time. One that fails is missing from the
 * result, and asked again by the next poll; those of digests that are gone are forgotten.
 */
export async function readShows(parts: ShowsParts): Promise<Map<string, ShownModel>> {
  const shows = new Map<string, ShownModel>();
  const wanted = new Map<string, string>();
  for (const { model } of parts.candidates) {
    const known = parts.known.get(model.digest);
    if (known) shows.set(model.digest, known);
    else if (!wanted.has(model.digest)) wanted.set(model.digest, model.name);
  }

  const deadlineMs = parts.clock.monotonicMs() + parts.budgetMs;
  const queue = wanted.entries();
  const askInTurn = async (): Promise<void> => {
    for (const [digest, name] of queue) {
      if (parts.clock.monotonicMs() > deadlineMs) return;
      const show = await askOne(parts.ask, name);
      if (show) shows.set(digest, show);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, askInTurn));
  return shows;
}

async function askOne(ask: AskShow, name: string): Promise<ShownModel | undefined> {
  try {
    return readShow(await ask(name));
  } catch {
    // The poll counts what is missing; why one show failed changes nothing.
    return undefined;
  }
}
