import { LRUCache } from 'lru-cache';
import type { SharedReader } from '../shared/shared-reader.ts';
import type { Clock } from '../time/clock.ts';
import type { Principal } from './principal.ts';
import { refuseOverload, refuseUnchecked } from './refused-key.ts';

/** Reads one key and its tenant from Postgres. */
export type FindKey = (publicId: string) => Promise<Principal | undefined>;

/** Where the rows of a key are found by its public id: shared memory, and once Postgres. */
export interface KeyDirectory {
  /** From shared memory, as of the last refresh. */
  read(publicId: string): Principal | undefined;
  /** Postgres was asked a moment ago, and nothing has changed since. */
  isUnknown(publicId: string): boolean;
  /**
   * Asks Postgres: for a key made milliseconds ago. Lookups of one id at one time are one. Throws
   * GatewayError `overloaded` when too many are under way, `auth_unavailable` when it fails.
   */
  lookUp(publicId: string): Promise<Principal | undefined>;
  /**
   * The rows of now of a key that was read before a wait: from shared memory, or the same again
   * while Postgres gave them a moment ago.
   */
  readAgain(before: Principal): Principal | undefined;
  /** Whether rows that were read before a wait are still the rows of the key. */
  isCurrent(before: Principal): boolean;
}

export interface KeyDirectoryParts {
  readonly shared: Pick<SharedReader, 'readKey' | 'readTenant' | 'readGeneration'>;
  readonly find: FindKey;
  readonly clock: Clock;
  readonly unknownKeySeconds: number;
  /**
   * A row that Postgres gave is in shared memory within a poll or two. Until then it is believed as
   * long as it would be there, one trust lease, and no longer.
   */
  readonly believedMs: number;
}

const MAX_LOOKUPS = 64;
const MAX_UNKNOWN = 10_000;

export function makeKeyDirectory(parts: KeyDirectoryParts): KeyDirectory {
  const { shared, clock } = parts;
  const unknown = new LRUCache<string, { generation: number; untilMs: number }>({
    max: MAX_UNKNOWN,
  });
  const running = new Map<string, Promise<Principal | undefined>>();

  function read(publicId: string): Principal | undefined {
    const key = shared.readKey(publicId);
    const tenant = key && shared.readTenant(key.tenantId);
    return key && tenant && { key, tenant };
  }

  function readAgain(before: Principal): Principal | undefined {
    const now = read(before.key.publicId);
    if (now) return now;
    return clock.monotonicMs() < (before.believedUntilMs ?? 0) ? before : undefined;
  }

  async function find(publicId: string): Promise<Principal | undefined> {
    const askedAtMs = clock.monotonicMs();
    // Read before Postgres is asked: a key made after that raises it and is not held unknown.
    const generation = shared.readGeneration();
    const principal = await parts.find(publicId).catch(() => {
      throw refuseUnchecked();
    });
    if (principal) return { ...principal, believedUntilMs: askedAtMs + parts.believedMs };

    const untilMs = clock.monotonicMs() + parts.unknownKeySeconds * 1_000;
    unknown.set(publicId, { generation, untilMs });
    return undefined;
  }

  return {
    read,
    isUnknown(publicId) {
      const entry = unknown.get(publicId);
      if (entry === undefined) return false;
      return entry.generation === shared.readGeneration() && clock.monotonicMs() < entry.untilMs;
    },
    lookUp(publicId) {
      const known = running.get(publicId);
      if (known) return known;
      if (running.size >= MAX_LOOKUPS) return Promise.reject(refuseOverload());

      const lookup = find(publicId).finally(() => {
        running.delete(publicId);
      });
      running.set(publicId, lookup);
      return lookup;
    },
    readAgain,
    isCurrent(before) {
      const now = readAgain(before);
      return (
        now?.key.version === before.key.version && now.tenant.version === before.tenant.version
      );
    },
  };
}
