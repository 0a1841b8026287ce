import type { KeyRow, TenantRow } from '../shared/records.ts';

/** Who calls: a key whose secret was proved, with the rows that were in force at that moment. */
export interface Principal {
  readonly key: KeyRow;
  readonly tenant: TenantRow;
}
