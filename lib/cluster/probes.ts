import type { Probe } from '../health/readiness.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import type { Duties } from './duties.ts';

export interface ProbeParts {
  readonly redis: Redis;
  readonly duties: Pick<Duties, 'trust' | 'discovery' | 'shards'>;
  readonly clock: Clock;
  readonly upstreams: readonly string[];
  /** A snapshot older than this is not trusted. */
  readonly maxAgeMs: number;
  /** Workers that listen. */
  countWorkers(): number;
}

const UPSTREAM_TIMEOUT_MS = 900;
/** A session of a shard is never silent for longer while Postgres answers. */
const SESSION_SILENCE_MS = 1_800;

/** What must be there for the gateway to be ready (SPEC §12), each a look of its own. */
export function makeProbes(parts: ProbeParts): Readonly<Record<string, Probe>> {
  const { redis, duties, clock, maxAgeMs } = parts;
  return {
    // Both sessions speak with Postgres all the time: their answers are the proof that it is there.
    postgres: () =>
      duties.shards
        .state()
        .every(
          ({ answeredAtMs }) =>
            answeredAtMs !== null && clock.monotonicMs() - answeredAtMs < SESSION_SILENCE_MS,
        ),
    trust: () => clock.monotonicMs() < duties.trust.state().deadlineMs,
    // One that has lost its data answers too, and admits nothing.
    redis: () => redis.ping().then(() => duties.shards.state().every(({ ready }) => ready)),
    models: () =>
      duties.discovery
        .state()
        .upstreams.some(
          ({ polledAtMs }) => polledAtMs !== null && clock.monotonicMs() - polledAtMs < maxAgeMs,
        ),
    upstream: () => Promise.any(parts.upstreams.map(answers)).catch(() => false),
    workers: () => parts.countWorkers() > 0,
  };
}

/** Resolves true, or rejects: any upstream that answers will do. */
async function answers(origin: string): Promise<boolean> {
  const response = await fetch(`${origin}/api/version`, {
    redirect: 'error',
    signal: AbortSignal.timeout(UPSTREAM_TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error('the upstream is not well');
  return true;
}
