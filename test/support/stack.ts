import { hashKey } from '../../lib/auth/hash-key.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import { makeSecretTag } from '../../lib/auth/secret-tag.ts';
import { openPool } from '../../lib/store/postgres.ts';
import type { Pool } from '../../lib/store/postgres.ts';
import { createKey } from '../../lib/tenants/create-key.ts';
import type { NewKey } from '../../lib/tenants/create-key.ts';
import { createTenant } from '../../lib/tenants/create-tenant.ts';
import type { NewTenant } from '../../lib/tenants/create-tenant.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { startFakeOllama } from './fake-ollama.ts';
import type { FakeOllama, FakeOptions } from './fake-ollama.ts';
import { launchGateway, PEPPER } from './launch-gateway.ts';
import type { Gateway } from './launch-gateway.ts';
import { noteSecret } from './secret-grep.ts';
import { makeDatabase } from './test-postgres.ts';
import type { OwnRedis } from './one-redis.ts';
import { startOwnRedis } from './test-redis.ts';
import { until } from './until.ts';

export interface StackOptions {
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly ollama?: FakeOptions;
  /** What stands between the gateway and its stores, by URL: a fault proxy. */
  readonly through?: (urls: StoreUrls) => Promise<StoreUrls> | StoreUrls;
}

export interface StoreUrls {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

export interface MadeKey {
  readonly key: string;
  readonly keyId: string;
  readonly publicId: string;
  readonly tenantId: string;
}

/** A whole product: Postgres, Redis, a fake Ollama, a gateway of two workers. */
export interface Stack {
  readonly gateway: Gateway;
  readonly ollama: FakeOllama;
  readonly redis: OwnRedis;
  readonly database: Pool;
  readonly databaseUrl: string;
  /** Makes a tenant (all models unless told otherwise). */
  makeTenant(options?: Partial<NewTenant>): Promise<string>;
  makeKey(tenantId: string, options?: Partial<NewKey>): Promise<MadeKey>;
  /** A tenant with all models and a key of it. */
  makeCaller(): Promise<MadeKey>;
  /** Waits until so many audit rows of a key are in Postgres and returns them, oldest first. */
  readAudit(keyId: string, atLeast: number): Promise<readonly AuditRow[]>;
  stop(): Promise<void>;
}

export type AuditRow = Readonly<Record<string, unknown>>;

/** Cheap, but still Argon2id: the tests make many keys. */
export const TEST_COST = { memoryKib: 8_192, passes: 1, lanes: 1 };

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const [testDatabase, redis, ollama] = await Promise.all([
    makeDatabase(),
    startOwnRedis({ appendOnly: true }),
    startFakeOllama(options.ollama),
  ]);
  const own = { databaseUrl: testDatabase.url, redisUrl: redis.url };
  const urls = (await options.through?.(own)) ?? own;
  const database = openPool({
    url: testDatabase.url,
    applicationName: 'test',
    maxConnections: 4,
    timeoutMs: 10_000,
  });
  const gateway = await launchGateway({
    ...urls,
    ollamaUrl: ollama.url,
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    env: {
      NZGW_ARGON2_MEMORY_KIB: String(TEST_COST.memoryKib),
      NZGW_ARGON2_PASSES: String(TEST_COST.passes),
      ...options.env,
    },
  });
  return {
    gateway,
    ollama,
    redis,
    database,
    databaseUrl: testDatabase.url,
    ...makeActs(database),
    stop: async () => {
      if (gateway.isRunning()) await gateway.stop();
      await Promise.all([ollama.close(), database.end(), redis.remove()]);
      await testDatabase.drop();
    },
  };
}

function makeActs(
  database: Pool,
): Pick<Stack, 'makeTenant' | 'makeKey' | 'makeCaller' | 'readAudit'> {
  let tenants = 0;
  async function newTenant(options: Partial<NewTenant> = {}): Promise<string> {
    tenants += 1;
    const tenant = await createTenant(database, {
      slug: `tenant-${tenants}`,
      name: `Tenant ${tenants}`,
      allowAllModels: true,
      allowedModels: [],
      allowRuntimeOptions: false,
      maxNumCtx: null,
      auditRetentionDays: 90,
      limits: NO_LIMITS,
      ...options,
    });
    return tenant.id;
  }

  async function newKey(tenantId: string, options: Partial<NewKey> = {}): Promise<MadeKey> {
    const { key, publicId } = makeKey();
    noteSecret(key);
    const made = await createKey(
      database,
      { id: tenantId, slug: '' },
      {
        publicId,
        hash: await hashKey(key, TEST_COST),
        secretTag: makeSecretTag(PEPPER, key),
        name: '',
        expiresAt: null,
        allowAllModels: null,
        allowedModels: null,
        limits: NO_LIMITS,
        ...options,
      },
    );
    return { key, publicId, keyId: made.id, tenantId };
  }

  return {
    makeTenant: newTenant,
    makeKey: newKey,
    makeCaller: async () => newKey(await newTenant()),
    readAudit: (keyId, atLeast) =>
      until(
        async () => {
          const { rows } = await database.query<AuditRow>(
            'select * from gateway.audit_log where key_id = $1 order by admitted_at, id',
            [keyId],
          );
          return rows.length >= atLeast && rows;
        },
        { withinMs: 5_000, what: `${atLeast} audit rows` },
      ),
  };
}

/** Posts JSON with a key; the body is left to be read. */
export function post(
  url: string,
  key: string | undefined,
  body: unknown,
  init: RequestInit = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

/** The lines of an NDJSON reply, parsed. */
export async function readLines(response: Response): Promise<readonly Record<string, unknown>[]> {
  const text = await response.text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
