import type { Principal } from '../auth/principal.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { SharedReader } from '../shared/shared-reader.ts';
import type { Clock } from '../time/clock.ts';
import type { Running, RunningRequest } from './running.ts';

export interface RunningWatchParts {
  readonly shared: Pick<
    SharedReader,
    'refresh' | 'readTrust' | 'readGeneration' | 'readKey' | 'readTenant'
  >;
  readonly clock: Clock;
  readonly running: Running;
  /** How long requests run on after the directory is not believed any more. */
  readonly graceMs: number;
}

/** Ends what runs for a key that is no more, and everything once nothing is known for too long. */
export interface RunningWatch {
  /** Cheap while nothing has changed: to be asked often, and whenever the primary says so. */
  look(): void;
  /**
   * A request that has just been admitted: its key, or the trust in it, may have ended while Redis
   * answered. Nothing was sent upstream yet, so it has no grace.
   */
  check(request: RunningRequest): void;
}

const RETRY_AFTER_MS = 1_000;
/** No generation of shared memory: the next look reads. */
const NEVER = -1;

/**
 * What runs is judged by shared memory as a new request is (SPEC §10), so no message of the primary
 * can be missed: one that says that something changed makes the look sooner, and says no more.
 * Suspended tenants and expired keys may finish what they began.
 */
export function makeRunningWatch(parts: RunningWatchParts): RunningWatch {
  const { shared, clock, running, graceMs } = parts;
  let seen = NEVER;

  function findEnd({ principal }: RunningRequest): GatewayError | undefined {
    const key = shared.readKey(principal.key.publicId);
    const tenant = shared.readTenant(principal.tenant.tenantId);
    const isOver =
      key?.status === 'revoked' ||
      tenant?.status === 'closed' ||
      ((!key || !tenant) && isGone(principal));
    return isOver ? new GatewayError('revoked', 'The API key was revoked.') : undefined;
  }

  /**
   * Of a key without a row: it may have been made a moment ago, and only a directory that is believed
   * can tell that there is none. Until that is known nothing counts as seen.
   */
  function isGone({ believedUntilMs = 0 }: Principal): boolean {
    const known = clock.monotonicMs() >= believedUntilMs && !isTrustLost(0);
    if (!known) seen = NEVER;
    return known;
  }

  /** Whether the directory was not believed any more so long ago. */
  function isTrustLost(sinceMs: number): boolean {
    const trust = shared.readTrust();
    return !trust || clock.monotonicMs() >= trust.deadlineMs + sinceMs;
  }

  return {
    look() {
      if (running.size === 0) return;
      shared.refresh();
      if (isTrustLost(graceMs)) {
        running.endEach(unchecked);
        return;
      }
      const generation = shared.readGeneration();
      if (generation === seen) return;
      seen = generation;
      running.endEach(findEnd);
    },
    check(request) {
      shared.refresh();
      const reason = isTrustLost(0) ? unchecked() : findEnd(request);
      if (reason) request.end(reason);
    },
  };
}

function unchecked(): GatewayError {
  return new GatewayError('auth_unavailable', 'API keys cannot be checked any more.', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
