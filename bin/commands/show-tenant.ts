import { findTenant } from '../../lib/tenants/find-tenant.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { TENANT } from '../program/positionals.ts';
import { renderFacts } from '../program/table.ts';
import { toTenantDocument, toTenantFacts } from '../views/tenant-view.ts';

export const showTenant = defineCommand({
  name: 'show-tenant',
  summary: 'Shows a tenant, its limits and its models.',
  positionals: [TENANT],
  options: [],
  examples: ['nzgw show-tenant acme'],
  needs: ['databaseUrl'],
  async run(context) {
    const [reference = ''] = context.positionals;
    const tenant = await withDatabase(context, (queries) => findTenant(queries, reference));
    context.output.answer(toTenantDocument(tenant), () => renderFacts(toTenantFacts(tenant)));
    return EXIT.done;
  },
});
