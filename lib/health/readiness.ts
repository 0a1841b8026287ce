import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../time/clock.ts';
import { inTime } from '../time/in-time.ts';

interface Check {
  readonly status: 'pass' | 'fail';
  readonly ms: number;
}

export interface Readiness {
  readonly status: 'pass' | 'fail';
  readonly checks: Readonly<Record<string, Check>>;
}

/** One dependency, looked at: true if it is there. A throw or a late answer is a no. */
export type Probe = () => boolean | Promise<boolean>;

export interface ReadinessWatch {
  current(): Readiness;
  stop(): Promise<void>;
}

interface WatchParts {
  readonly probes: Readonly<Record<string, Probe>>;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** Told at each change of what is missing, from the first look on. */
  onChange(now: Readiness, before: Readiness): void;
}

/** Looks at every dependency again and again; ready only while each of them answered (SPEC §12). */
export function watchReadiness(parts: WatchParts): ReadinessWatch {
  let latest: Readiness = { status: 'fail', checks: {} };
  const stopped = new AbortController();
  const loop = run();

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      const before = latest;
      latest = await look(parts);
      const changed =
        latest.status !== before.status ||
        !isDeepStrictEqual(listMissing(latest), listMissing(before));
      if (changed) parts.onChange(latest, before);
      await pause(parts.everyMs, stopped.signal);
    }
  }

  return {
    current: () => latest,
    stop: async () => {
      stopped.abort();
      await loop;
    },
  };
}

/** The failing checks, in the order of the probes. */
export function listMissing({ checks }: Readiness): readonly string[] {
  return Object.entries(checks).flatMap(([name, { status }]) => (status === 'fail' ? [name] : []));
}

async function look(parts: WatchParts): Promise<Readiness> {
  const names = Object.entries(parts.probes);
  const checks = await Promise.all(
    names.map(async ([name, probe]): Promise<[string, Check]> => {
      const startedMs = parts.clock.monotonicMs();
      const passed = await askInTime(probe, parts.timeoutMs);
      const ms = Math.round((parts.clock.monotonicMs() - startedMs) * 10) / 10;
      return [name, { status: passed ? 'pass' : 'fail', ms }];
    }),
  );
  const passed = checks.every(([, check]) => check.status === 'pass');
  return { status: passed ? 'pass' : 'fail', checks: Object.fromEntries(checks) };
}

async function askInTime(probe: Probe, timeoutMs: number): Promise<boolean> {
  const asked = Promise.resolve().then(probe);
  return inTime(timeoutMs, asked, () => false).catch(() => false);
}

/** Waits, or returns at once when told to stop. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
