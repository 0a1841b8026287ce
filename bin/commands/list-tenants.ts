import { listTenants as selectTenants } from '../../lib/tenants/find-tenant.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { showBudget, showLimit } from '../views/limits-view.ts';
import { showTenantModels, toTenantDocument } from '../views/tenant-view.ts';

export const listTenants = defineCommand({
  name: 'list-tenants',
  summary: 'Lists all tenants with their limits.',
  positionals: [],
  options: [],
  examples: ['nzgw list-tenants', 'nzgw list-tenants --json'],
  needs: ['databaseUrl'],
  async run(context) {
    const tenants = await withDatabase(context, selectTenants);
    context.output.list(tenants, toTenantDocument, {
      slug: (tenant) => tenant.slug,
      status: (tenant) => tenant.status,
      keys: (tenant) => String(tenant.activeKeys),
      rpm: (tenant) => showLimit(tenant.limits.requestsPerMinute),
      tpm: (tenant) => showLimit(tenant.limits.tokensPerMinute),
      concurrency: (tenant) => showLimit(tenant.limits.concurrency),
      budget: (tenant) => showBudget(tenant.limits),
      models: showTenantModels,
      name: (tenant) => tenant.name,
    });
    if (tenants.length === 0) context.output.note('Next: nzgw create-tenant NAME');
    return EXIT.done;
  },
});
