import type { Clock } from '../time/clock.ts';

export interface PrimaryWatchParts {
  readonly clock: Clock;
  readonly silenceMs: number;
  /** Called once. */
  readonly onSilent: () => void;
}

export interface PrimaryWatch {
  /** The primary said something. */
  hear(): void;
  stop(): void;
}

const LOOK_EVERY_MS = 1_000;

/**
 * Tells when the primary has said nothing for too long (SPEC §10). Time in which this process itself
 * did not run does not count: it has not listened.
 */
export function watchPrimary({ clock, silenceMs, onSilent }: PrimaryWatchParts): PrimaryWatch {
  let lookedAtMs = clock.monotonicMs();
  let heardAtMs = lookedAtMs;
  const look = setInterval(() => {
    const nowMs = clock.monotonicMs();
    const wasAway = nowMs - lookedAtMs > 2 * LOOK_EVERY_MS;
    lookedAtMs = nowMs;
    if (wasAway) heardAtMs = nowMs;
    if (nowMs - heardAtMs < silenceMs) return;
    clearInterval(look);
    onSilent();
  }, LOOK_EVERY_MS);
  return {
    hear() {
      heardAtMs = clock.monotonicMs();
    },
    stop() {
      clearInterval(look);
    },
  };
}

/**
 * Ends a primary that is stopped or hangs: to a service manager it still runs. Only if it is still
 * this worker's parent, for its pid may be another's by now. A process with pid 1 cannot be ended so.
 */
export function killPrimary(pid: number): void {
  if (process.ppid !== pid) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
