import { setTenantStatus } from '../../lib/tenants/update-tenant.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { TENANT } from '../program/positionals.ts';
import { tellStatus } from '../views/status-view.ts';

export const suspendTenant = defineCommand({
  name: 'suspend-tenant',
  summary: 'Refuses all requests of a tenant until resume-tenant.',
  positionals: [TENANT],
  options: [],
  examples: ['nzgw suspend-tenant acme'],
  needs: ['databaseUrl'],
  async run(context) {
    const [reference = ''] = context.positionals;
    const change = await withDatabase(context, (queries) =>
      setTenantStatus(queries, reference, 'suspended'),
    );
    tellStatus(context.output, change);
    return EXIT.done;
  },
});
