import { listKeys as selectKeys } from '../../lib/tenants/find-key.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { TENANT } from '../program/positionals.ts';
import { showExpiry, showStatus, toKeyDocument, toPrefix } from '../views/key-view.ts';
import { showTime } from '../views/limits-view.ts';

export const listKeys = defineCommand({
  name: 'list-keys',
  summary: 'Lists the keys of a tenant, or all; never what would let one be used.',
  positionals: [{ ...TENANT, required: false }],
  options: [],
  examples: ['nzgw list-keys', 'nzgw list-keys acme --json'],
  needs: ['databaseUrl'],
  async run(context) {
    const nowMs = context.clock.wallMs();
    const keys = await withDatabase(context, (queries) =>
      selectKeys(queries, context.positionals[0]),
    );
    context.output.list(keys, (key) => toKeyDocument(key, nowMs), {
      key: toPrefix,
      tenant: (key) => key.tenant,
      status: (key) => showStatus(key, nowMs),
      expires: (key) => showExpiry(key.expiresAt),
      created: (key) => showTime(key.createdAt),
      name: (key) => key.name,
    });
    return EXIT.done;
  },
});
