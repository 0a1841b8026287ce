import type { ShownModel } from '../ollama/models/read-show.ts';
import { readRunning } from '../ollama/models/read-running.ts';
import { readTags } from '../ollama/models/read-tags.ts';
import { readVersion } from '../ollama/models/versions.ts';
import type { Clock } from '../time/clock.ts';
import { chooseModels } from './choose-models.ts';
import { DiscoveryFault } from './discovery-fault.ts';
import { fetchJson } from './fetch-json.ts';
import { readShows } from './read-shows.ts';
import { makeSnapshot } from './upstream-snapshot.ts';
import type { UpstreamSnapshot } from './upstream-snapshot.ts';

export interface PollParts {
  /** Origin of the upstream: `http://127.0.0.1:11434`. */
  readonly url: string;
  /** For each question. */
  readonly timeoutMs: number;
  readonly allowCloudModels: boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** /api/show of earlier polls, by digest. */
  readonly known: ReadonlyMap<string, ShownModel>;
  readonly signal: AbortSignal;
}

export interface Poll {
  readonly snapshot: UpstreamSnapshot;
  /** For the next poll. */
  readonly shows: ReadonlyMap<string, ShownModel>;
  /** Models left out because their /api/show could not be read yet. */
  readonly missing: number;
}

/**
 * Asks an upstream for its models, the running ones and its version, and for the /api/show of each
 * digest not seen before. All or nothing, but for single shows. Throws DiscoveryFault.
 */
export async function pollUpstream(parts: PollParts): Promise<Poll> {
  const rest = new AbortController();
  const signal = AbortSignal.any([parts.signal, rest.signal]);
  const ask = async (path: string, body?: Readonly<Record<string, unknown>>): Promise<unknown> =>
    fetchJson({
      url: parts.url + path,
      timeoutMs: parts.timeoutMs,
      signal,
      ...(body && { body }),
    });

  try {
    const [tags, ps, version] = await Promise.all([
      ask('/api/tags').then(readTags).then(demand),
      ask('/api/ps').then(readRunning).then(demand),
      ask('/api/version').then(readVersion).then(demand),
    ]);
    const candidates = chooseModels(tags, parts.allowCloudModels);
    const shows = await readShows({
      candidates,
      known: parts.known,
      ask: (name) => ask('/api/show', { model: name }),
      clock: parts.clock,
      budgetMs: parts.timeoutMs,
    });
    if (parts.signal.aborted) throw new DiscoveryFault('stopped');
    const snapshot = makeSnapshot({ ollamaVersion: version, candidates, shows, running: ps });
    return { snapshot, shows, missing: candidates.length - snapshot.models.length };
  } finally {
    // One of the three failed: the others need not come to their end.
    rest.abort();
  }
}

function demand<T>(value: T | undefined): T {
  if (value === undefined) throw new DiscoveryFault('reply_malformed');
  return value;
}
