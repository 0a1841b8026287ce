import type { KeyRow, TenantRow } from '../shared/records.ts';

/** Who calls: a key whose secret was proved, with the rows that were in force at that moment. */
export interface Principal {
  readonly key: KeyRow;
  readonly tenant: TenantRow;
  /**
   * Only of rows that Postgres was asked for: until when (monotonic ms) they are believed although
   * shared memory does not have them yet.
   */
  readonly believedUntilMs?: number;
}
