import { readUsage } from '../../lib/inspection/usage.ts';
import type { UsageGroup } from '../../lib/inspection/usage.ts';
import { findTenant } from '../../lib/tenants/find-tenant.ts';
import { usageError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { TENANT } from '../program/positionals.ts';
import { since } from '../values/since.ts';
import { usageGroups } from '../values/usage-groups.ts';
import { readOptions } from '../values/value.ts';
import { toUsageColumns, toUsageDocument, USAGE_CSV } from '../views/usage-view.ts';

const DEFAULT_GROUPS: ReadonlySet<UsageGroup> = new Set(['key', 'model']);

export const usage = defineCommand({
  name: 'usage',
  summary: 'Tells what was used: requests and tokens, by tenant, key, model or day.',
  positionals: [{ ...TENANT, required: false }],
  options: [
    {
      name: 'since',
      placeholder: 'WHEN',
      meaning: '7d, 24h, today, 2026-11-23; whole UTC days, the first one included.',
    },
    {
      name: 'by',
      placeholder: 'WHAT',
      repeatable: true,
      meaning: 'key, model, day, or several: key,model (the default).',
    },
    { name: 'csv', meaning: 'RFC 4180, with a header line.' },
  ],
  examples: [
    'nzgw usage',
    'nzgw usage acme --since 7d --by day',
    'nzgw usage --since 2026-11-01 --by key,model --csv',
  ],
  needs: ['databaseUrl'],
  async run(context) {
    const { output, options, positionals, clock } = context;
    const shape = { since: since(clock.wallMs()).optional(), by: usageGroups.optional() };
    const { since: sinceDay = null, by = DEFAULT_GROUPS } = readOptions(shape, options);
    const csv = options['csv'] === true;
    if (csv && output.json) throw usageError('--csv and --json exclude each other');

    const [reference] = positionals;
    const rows = await withDatabase(context, async (queries) => {
      const tenant = reference === undefined ? null : await findTenant(queries, reference);
      return readUsage(queries, { tenantId: tenant?.id ?? null, sinceDay, by });
    });
    if (csv) output.csv(rows, USAGE_CSV);
    else output.list(rows, toUsageDocument, toUsageColumns(by));
    if (sinceDay !== null) output.note(`Whole days (UTC), from ${sinceDay} on.`);
    return EXIT.done;
  },
});
