import { readFile } from 'node:fs/promises';
import { ROOT } from '../../lib/root.ts';

/** What the migrations make, as far as it can be taken away by hand. */
export interface ExpectedSchema {
  readonly triggers: readonly ExpectedTrigger[];
  /** Of the role gateway_runtime: what the gateway itself needs. */
  readonly rights: readonly ExpectedRight[];
}

export interface ExpectedTrigger {
  readonly name: string;
  /** With its schema. */
  readonly table: string;
}

export interface ExpectedRight {
  readonly kind: 'schema' | 'table' | 'column' | 'function';
  /** As Postgres writes it; a column as `schema.table.column`. */
  readonly thing: string;
  readonly privilege: string;
}

const TRIGGER = /^CREATE TRIGGER (\w+) .*? ON (\w+\.\w+) FOR EACH /;
const GRANT = /^(schema )?(\S.*) to gateway_runtime: ([a-z, ]+)$/;

/** Read from sql/schema.sql, which a test holds equal to what the migrations make. */
export async function readExpectedSchema(): Promise<ExpectedSchema> {
  const lines = (await readFile(new URL('sql/schema.sql', ROOT), 'utf8')).split('\n');
  return {
    triggers: lines.flatMap((line) => {
      const [, name, table] = TRIGGER.exec(line) ?? [];
      return name === undefined || table === undefined ? [] : [{ name, table }];
    }),
    rights: lines.flatMap((line) => {
      const [, schema, thing, privileges] = GRANT.exec(line) ?? [];
      if (thing === undefined || privileges === undefined) return [];
      const kind = schema === undefined ? kindOf(thing) : 'schema';
      return privileges.split(', ').map((privilege) => ({ kind, thing, privilege }));
    }),
  };
}

function kindOf(thing: string): ExpectedRight['kind'] {
  if (thing.endsWith(')')) return 'function';
  return thing.split('.').length === 3 ? 'column' : 'table';
}
