import { listShards, readLiveHolds } from '../../lib/inspection/live-holds.ts';
import { readNames } from '../../lib/inspection/names.ts';
import { shardOf } from '../../lib/ledger/keys.ts';
import { findTenant } from '../../lib/tenants/find-tenant.ts';
import { defineCommand } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';
import { TENANT } from '../program/positionals.ts';
import { withStores } from '../program/stores.ts';
import type { Stores } from '../program/stores.ts';
import { HOLD_COLUMNS, toHoldDocument } from '../views/hold-view.ts';
import type { HoldDocument } from '../views/hold-view.ts';

export const holds = defineCommand({
  name: 'holds',
  summary: 'Lists the requests that run now and the tokens they hold.',
  positionals: [{ ...TENANT, required: false }],
  options: [],
  examples: ['nzgw holds', 'nzgw holds acme --json'],
  needs: ['databaseUrl', 'redisUrl'],
  async run(context) {
    const [reference] = context.positionals;
    const documents = await withStores(context, (stores) => readDocuments(stores, reference));
    context.output.list(documents, (hold) => hold, HOLD_COLUMNS);
    return EXIT.done;
  },
});

async function readDocuments(
  { queries, redis, shards }: Stores,
  reference: string | undefined,
): Promise<readonly HoldDocument[]> {
  const tenant = reference === undefined ? null : await findTenant(queries, reference);
  const where = tenant === null ? listShards(shards) : [shardOf(tenant.id, shards)];
  const live = await readLiveHolds(redis, where);
  const wanted = live.holds.filter(({ tenantId }) => tenant === null || tenantId === tenant.id);
  const names = await readNames(queries, {
    tenantIds: wanted.map(({ tenantId }) => tenantId),
    keyIds: wanted.map(({ keyId }) => keyId),
  });
  return wanted.map((hold) => toHoldDocument(hold, names, live.nowMs));
}
