import { loadMovableScripts } from '../support/movable-time.ts';
import { connect, makeDatabase } from '../support/test-postgres.ts';
import { startTestRedis } from '../support/test-redis.ts';
import type { Script } from '../../lib/ledger/scripts.ts';
import { SOME_HASH } from '../support/schema-rows.ts';
import { CALLERS, LIMITS, SCOPES } from './population.ts';
import { bringBack } from './ownership.ts';
import { RealWorld } from './real-world.ts';
import { Story } from './story.ts';

/** A Redis and a Postgres for all runs of a test. */
export interface Worlds {
  /** Real world over these scripts, to be closed. */
  open(scripts?: readonly Script[]): Promise<RealWorld>;
  close(): Promise<void>;
}

/** Connects, and makes the tenants and keys that the ledger refers to. */
export async function openWorlds(): Promise<Worlds> {
  const [{ url }, database] = await Promise.all([startTestRedis(), makeDatabase()]);
  const client = await connect(database.url);
  for (const [n, { tenantId, keyId }] of CALLERS.entries()) {
    // The runs' clock stands in the past: their rows must not be beyond retention by Postgres's.
    await client.query(
      'insert into gateway.tenants (id, slug, name, audit_retention_days) values ($1, $2, $2, 3650) on conflict do nothing',
      [tenantId, `tenant-${n}`],
    );
    await client.query(
      'insert into gateway.api_keys (id, tenant_id, public_id, hash) values ($1, $2, $3, $4)',
      [keyId, tenantId, `key00000000${n}`, SOME_HASH],
    );
  }
  return {
    open: (scripts = loadMovableScripts()) => RealWorld.open(url, client, scripts),
    close: async () => {
      await client.end();
      await database.drop();
    },
  };
}

/** A run begins: at this time, with some limits, ready. */
export async function begin(real: RealWorld, startMs: number, limits: number): Promise<Story> {
  await real.reset(startMs);
  const story = new Story(startMs);
  for (const [n, scope] of SCOPES.entries()) {
    const chosen = LIMITS[(limits * (n + 3) + n * 7) % LIMITS.length];
    if (chosen) story.limits.set(scope, chosen);
  }
  await bringBack(story, real);
  return story;
}
