import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { hashSync } from '@node-rs/argon2';
import { makeArgon2Pool } from '../../lib/auth/argon2-pool.ts';
import type { Argon2Task } from '../../lib/auth/argon2-pool.ts';
import type { AuthEvent } from '../../lib/auth/proof.ts';
import { makeAuthenticate } from '../../lib/auth/authenticate.ts';
import type { Authenticate } from '../../lib/auth/authenticate.ts';
import { makeConfirm } from '../../lib/auth/confirm.ts';
import type { Confirm } from '../../lib/auth/confirm.ts';
import { makeFailureLimiter } from '../../lib/auth/failure-limiter.ts';
import { toOptions } from '../../lib/auth/hash-key.ts';
import { deriveSecrets } from '../../lib/auth/key-digest.ts';
import { makeKeyDirectory } from '../../lib/auth/key-directory.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import type { Principal } from '../../lib/auth/principal.ts';
import { makeRenewal } from '../../lib/auth/renewal.ts';
import type { RenewedSecret } from '../../lib/auth/renewal.ts';
import { makeSecretProof } from '../../lib/auth/secret-proof.ts';
import { makeSecretTag } from '../../lib/auth/secret-tag.ts';
import { makeVerifiedKeys } from '../../lib/auth/verified-keys.ts';
import { GatewayError } from '../../lib/errors/gateway-error.ts';
import type { Exchange } from '../../lib/http/exchange.ts';
import type { KeyRow, TenantRow, Trust } from '../../lib/shared/records.ts';
import type { Clock } from '../../lib/time/clock.ts';
import runArgon2 from '../../workers/argon2.ts';
import { makeKeyRow, makeTenantRow } from './rows.ts';
import { TEST_COST, TEST_PEPPER } from './seed-key.ts';

export const OLD_PEPPER = 'the pepper that was in use before this';

type Wait = 'get' | 'set' | 'check' | 'fail' | 'find' | 'verify' | 'hash' | 'renew';

/**
 * Step 2 with everything of a worker but its surroundings: what it is told of shared memory, Redis,
 * Postgres and time is in plain fields that a test sets. Argon2 is real and runs in line.
 */
export class AuthWorld {
  nowMs = 1_000;
  readonly clock: Clock = { monotonicMs: () => this.nowMs, wallMs: () => 1e12 + this.nowMs };
  trust: Trust | undefined = { deadlineMs: 1e9, runId: 'r' };
  generation = 1;
  readonly keys = new Map<string, KeyRow>();
  readonly tenants = new Map<string, TenantRow>();
  /** What Postgres has beyond shared memory. */
  readonly postgres = new Map<string, Principal>();
  readonly redis = new Map<string, string>();
  redisTtlMs = 0;
  /** What the count of failures says of every address. */
  waitMs = 0;
  readonly failures: string[] = [];
  readonly tasks: Argon2Task[] = [];
  lookups = 0;
  readonly renewals: [string, number, RenewedSecret][] = [];
  readonly events: AuthEvent[] = [];
  /** Called in the middle of the named wait; may change anything, throw, or take its time. */
  during: Partial<Record<Wait, () => unknown>> = {};
  readonly secrets = deriveSecrets(TEST_PEPPER);
  readonly #authenticate: Authenticate;
  readonly #confirm: Confirm;

  constructor(pepperPrevious: string | null = OLD_PEPPER) {
    [this.#authenticate, this.#confirm] = this.#compose(pepperPrevious);
  }

  /** A key in shared memory, with the tag of the current pepper. */
  addKey(
    changed: Partial<KeyRow> = {},
    tenant: Partial<TenantRow> = {},
  ): { key: string; row: KeyRow } {
    const { key, publicId } = makeKey();
    const hash = hashSync(key, toOptions(TEST_COST));
    const secretTag = makeSecretTag(TEST_PEPPER, key).toString('hex');
    const row = makeKeyRow({ publicId, keyId: `id-${publicId}`, hash, secretTag, ...changed });
    this.keys.set(publicId, row);
    this.tenants.set(row.tenantId, makeTenantRow(tenant));
    return { key, row };
  }

  /** A well-formed key whose id has the row of another. */
  addWrongKey(row: KeyRow): string {
    const { key, publicId } = makeKey();
    this.keys.set(publicId, { ...row, publicId });
    return key;
  }

  change(row: KeyRow, changed: Partial<KeyRow>): KeyRow {
    const next = { ...row, version: row.version + 1, ...changed };
    this.keys.set(row.publicId, next);
    this.generation += 1;
    return next;
  }

  call(key: string, address = '192.0.2.1'): Promise<Principal> {
    return this.callRaw(['Authorization', `Bearer ${key}`], address);
  }

  callRaw(rawHeaders: string[], clientAddress?: string): Promise<Principal> {
    return this.#authenticate(makeExchange(rawHeaders, clientAddress));
  }

  /** What `call` gave, looked at again after the wait for a body. */
  confirm(key: string, principal: Principal): Promise<Principal> {
    return this.#confirm(makeExchange(['x-api-key', key]), principal);
  }

  async #pass(wait: Wait): Promise<void> {
    await Promise.resolve();
    await this.during[wait]?.();
  }

  async #run<T>(task: Argon2Task): Promise<T> {
    this.tasks.push(task);
    await this.#pass(task.type);
    return runArgon2(task) as T;
  }

  #compose(previous: string | null): [Authenticate, Confirm] {
    const { clock, secrets } = this;
    const report = (event: AuthEvent): number => this.events.push(event);
    const shared = this.#makeShared();
    const argon2 = makeArgon2Pool({ run: (task) => this.#run(task as Argon2Task) });
    const failures = makeFailureLimiter(this.#makeCounts(), clock);
    const find = async (publicId: string) => {
      this.lookups += 1;
      await this.#pass('find');
      return this.postgres.get(publicId);
    };
    const renew = async (...renewal: [string, number, RenewedSecret]) => {
      await this.#pass('renew');
      this.renewals.push(renewal);
    };
    const proofParts = { argon2, failures, secrets, clock, verifiedKeySeconds: 60, report };

    const directory = makeKeyDirectory({
      shared,
      clock,
      find,
      unknownKeySeconds: 10,
      believedMs: 200,
    });

    const authenticate = makeAuthenticate({
      shared,
      directory,
      failures,
      clock,
      peppers: { current: TEST_PEPPER, previous },
      proof: makeSecretProof({
        ...proofParts,
        verified: makeVerifiedKeys(clock),
        store: this.#makeStore(),
      }),
      renewal: makeRenewal({ argon2, cost: TEST_COST, pepper: TEST_PEPPER, report, renew }),
    });
    return [authenticate, makeConfirm({ shared, directory, clock, authenticate })];
  }

  /** As with shared memory, what is read is what there was at the last refresh. */
  #makeShared() {
    const look = () => ({
      trust: this.trust,
      generation: this.generation,
      keys: new Map(this.keys),
      tenants: new Map(this.tenants),
    });
    let seen = look();
    return {
      refresh: () => {
        seen = look();
      },
      readTrust: () => seen.trust,
      readGeneration: () => seen.generation,
      readKey: (publicId: string) => seen.keys.get(publicId),
      readTenant: (tenantId: string) => seen.tenants.get(tenantId),
    };
  }

  #makeStore() {
    return {
      get: async (keyId: string) => {
        await this.#pass('get');
        return this.redis.get(keyId) ?? null;
      },
      set: async (keyId: string, value: string, ttlMs: number) => {
        await this.#pass('set');
        this.redis.set(keyId, value);
        this.redisTtlMs = ttlMs;
      },
    };
  }

  #makeCounts() {
    return {
      check: async () => {
        await this.#pass('check');
        return this.waitMs;
      },
      fail: async (address: string) => {
        this.failures.push(address);
        await this.#pass('fail');
        return this.waitMs;
      },
    };
  }
}

function makeExchange(rawHeaders: string[], clientAddress = '192.0.2.1'): Exchange {
  const request = new IncomingMessage(new Socket());
  request.rawHeaders = rawHeaders;
  return { request, clientAddress } as Exchange;
}

/** The refusal that a promise rejects with. */
export async function refusalOf(promise: Promise<unknown>): Promise<GatewayError> {
  const outcome = await promise.then(
    () => new Error('was not refused'),
    (error: unknown) => error,
  );
  if (outcome instanceof GatewayError) return outcome;
  throw outcome;
}
