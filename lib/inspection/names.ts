import type { Queries } from '../tenants/queries.ts';

/** What tenants and keys are called by people; an id that nobody has stands for itself. */
export interface Names {
  /** Its slug. */
  tenant(tenantId: string): string;
  /** `nz_` and its public id. */
  key(keyId: string): string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Looks up all ids at once. */
export async function readNames(
  queries: Queries,
  ids: { readonly tenantIds: Iterable<string>; readonly keyIds: Iterable<string> },
): Promise<Names> {
  const { rows } = await queries.query<{ id: string; name: string }>(SELECT, [
    toUuids(ids.tenantIds),
    toUuids(ids.keyIds),
  ]);
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  const find = (id: string): string => names.get(id) ?? id;
  return { tenant: find, key: find };
}

/** What Redis has may be anything. */
function toUuids(ids: Iterable<string>): readonly string[] {
  return [...new Set(ids)].filter((id) => UUID.test(id));
}

const SELECT = `
  select id::text, slug as name from gateway.tenants where id = any($1::uuid[])
  union all
  select id::text, 'nz_' || public_id from gateway.api_keys where id = any($2::uuid[])`;
