import { makeArgon2Pool } from '../auth/argon2-pool.ts';
import { makeAuthenticate } from '../auth/authenticate.ts';
import type { Authenticate } from '../auth/authenticate.ts';
import { makeConfirm } from '../auth/confirm.ts';
import type { Confirm } from '../auth/confirm.ts';
import { makeFailureLimiter } from '../auth/failure-limiter.ts';
import { makeKeyDirectory } from '../auth/key-directory.ts';
import type { FindKey } from '../auth/key-directory.ts';
import { deriveSecrets } from '../auth/key-digest.ts';
import { makeRenewal } from '../auth/renewal.ts';
import type { RenewKey } from '../auth/renewal.ts';
import { makeSecretProof } from '../auth/secret-proof.ts';
import type { AuthEvent } from '../auth/proof.ts';
import { makeVerifiedKeys } from '../auth/verified-keys.ts';
import type { Settings } from '../config/settings.ts';
import { openFailures } from '../ledger/failures.ts';
import { openVerifiedEntries } from '../ledger/verified-entries.ts';
import { within } from '../ledger/within.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import type { SharedReader } from '../shared/shared-reader.ts';
import type { Redis } from '../store/redis.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';
import type { Clock } from '../time/clock.ts';

export interface AuthParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly metrics: Pick<WorkerMetrics, 'countAuth'>;
  readonly shared: SharedReader;
  readonly redis: Redis;
  readonly argon2Threads: ThreadPool;
  readonly findKey: FindKey;
  readonly renewKey: RenewKey;
}

export interface Auth {
  readonly authenticate: Authenticate;
  readonly confirm: Confirm;
}

/** Step 2 with its real parts: shared memory, Redis, the Argon2 pool, Postgres for a new key. */
export function makeAuth(parts: AuthParts): Auth {
  const { settings, clock, shared, redis } = parts;
  const report = (event: AuthEvent): void => {
    parts.metrics.countAuth(event);
  };
  const argon2 = makeArgon2Pool(parts.argon2Threads);
  const failures = makeFailureLimiter(boundFailures(settings, redis), clock);
  const directory = makeKeyDirectory({
    shared,
    find: parts.findKey,
    clock,
    unknownKeySeconds: settings.unknownKeySeconds,
    believedMs: settings.trustLeaseMs,
  });
  const proof = makeSecretProof({
    verified: makeVerifiedKeys(clock),
    store: boundStore(settings, redis),
    argon2,
    failures,
    secrets: deriveSecrets(settings.keyPepper),
    clock,
    verifiedKeySeconds: settings.verifiedKeySeconds,
    report,
  });
  const renewal = makeRenewal({
    argon2,
    renew: parts.renewKey,
    cost: {
      memoryKib: settings.argon2MemoryKib,
      passes: settings.argon2Passes,
      lanes: settings.argon2Lanes,
    },
    pepper: settings.keyPepper,
    report,
  });
  const peppers = { current: settings.keyPepper, previous: settings.keyPepperPrevious };
  const standing = { shared, directory, clock };
  const authenticate = makeAuthenticate({ ...standing, proof, failures, renewal, peppers });
  return { authenticate, confirm: makeConfirm({ ...standing, authenticate }) };
}

/** The connection waits 5 s for a settlement; a request that asks who calls does not. */
function boundStore(settings: Settings, redis: Redis) {
  const entries = openVerifiedEntries(redis);
  const inTime = <T>(answer: Promise<T>): Promise<T> => within(settings.admitTimeoutMs, answer);
  return {
    get: (keyId: string) => inTime(entries.get(keyId)),
    set: (keyId: string, value: string, ttlMs: number) => inTime(entries.set(keyId, value, ttlMs)),
  };
}

function boundFailures(settings: Settings, redis: Redis) {
  const counts = openFailures(redis, {
    perMinute: settings.authFailuresPerMinute,
    burst: settings.authFailuresBurst,
  });
  const inTime = (answer: Promise<number>): Promise<number> =>
    within(settings.admitTimeoutMs, answer);
  return {
    check: (address: string) => inTime(counts.check(address)),
    fail: (address: string) => inTime(counts.fail(address)),
  };
}
