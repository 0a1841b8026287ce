import type { Logger } from '../log/logger.ts';
import type { Clock } from '../time/clock.ts';
import { ModelsBoard } from './models-board.ts';
import type { BoardParts, LastFinding } from './models-board.ts';
import { readCopyText, toCopyText, toSnapshotText } from './snapshot-copy.ts';
import { UpstreamLoop } from './upstream-loop.ts';
import type { UpstreamSnapshot } from './upstream-snapshot.ts';

/** A larger snapshot is not copied: the copy only bridges the first second of a start. */
const MAX_COPY_LENGTH = 4 * 1_024 * 1_024;

/** Redis's copy of each upstream's last snapshot, by the upstream's URL. */
export interface SnapshotCopies {
  read(url: string): Promise<{ readonly text: string; readonly ageMs: number } | null>;
  write(url: string, text: string, ttlMs: number): Promise<void>;
}

export interface DiscoveryParts extends BoardParts {
  /** Origins in the order of OLLAMA_URL. */
  readonly upstreams: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly maxAgeMs: number;
  readonly allowCloudModels: boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly logger: Logger;
  readonly copies: SnapshotCopies;
}

export interface UpstreamState extends LastFinding {
  readonly url: string;
  /** Whether the last poll succeeded; null before the first has ended. */
  readonly answering: boolean | null;
}

export interface DiscoveryState {
  readonly version: number;
  readonly upstreams: readonly UpstreamState[];
}

export interface Discovery {
  /** Settles when a poll of every upstream that began after the call has ended. Never rejects. */
  pollNow(): Promise<void>;
  state(): DiscoveryState;
  /** Ends the polls under way; settles when nothing of discovery runs any more. */
  stop(): Promise<void>;
}

/**
 * Discovery in the primary (SPEC §3): polls each upstream in a loop of its own, keeps the last good
 * snapshot of each, and tells shared memory, Redis and the workers. Redis's copies serve until the
 * first poll, while they are young enough.
 */
export function startDiscovery(parts: DiscoveryParts): Discovery {
  const { upstreams, clock } = parts;
  const board = new ModelsBoard(parts);
  const loops = upstreams.map(
    (url, upstream) =>
      new UpstreamLoop({
        ...parts,
        url,
        accept: (snapshot, polledAtMs) => keep(upstream, snapshot, polledAtMs),
      }),
  );

  async function keep(upstream: number, snapshot: UpstreamSnapshot, polledAtMs: number) {
    const text = toSnapshotText(snapshot);
    board.put(upstream, { snapshot, text, polledAtMs });
    if (text.length > MAX_COPY_LENGTH) return;
    const copy = toCopyText(text, clock.monotonicMs() - polledAtMs);
    // Without Redis a later start waits for its first poll, and nothing else is lost.
    await parts.copies
      .write(upstreams[upstream] ?? '', copy, parts.maxAgeMs)
      .catch(() => undefined);
  }

  async function useCopy(url: string, upstream: number): Promise<void> {
    const askedAtMs = clock.monotonicMs();
    const copy = await parts.copies.read(url).catch(() => null);
    const read = copy ? readCopyText(copy.text, parts.allowCloudModels) : undefined;
    if (!copy || !read || stopped || board.has(upstream)) return;
    const polledAtMs = askedAtMs - copy.ageMs - read.sinceMs;
    if (copy.ageMs < 0 || askedAtMs - polledAtMs > parts.maxAgeMs) return;
    const { snapshot } = read;
    board.put(upstream, { snapshot, text: toSnapshotText(snapshot), polledAtMs });
  }

  let stopped = false;
  const copiesUsed = Promise.allSettled(upstreams.map(useCopy));
  const pollNow = async (): Promise<void> => {
    await Promise.all(loops.map((loop) => loop.poll()));
  };
  void pollNow();

  return {
    pollNow,
    state: () => ({
      version: board.version,
      upstreams: loops.map(({ answering }, upstream) => ({
        url: upstreams[upstream] ?? '',
        answering,
        ...board.describe(upstream),
      })),
    }),
    stop: async () => {
      stopped = true;
      await Promise.all([copiesUsed, ...loops.map((loop) => loop.stop())]);
    },
  };
}
