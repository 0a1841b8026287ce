import { setTenantStatus } from '../../lib/tenants/update-tenant.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { TENANT } from '../program/positionals.ts';
import { tellStatus } from '../views/status-view.ts';

export const resumeTenant = defineCommand({
  name: 'resume-tenant',
  summary: 'Lets a suspended tenant work again.',
  positionals: [TENANT],
  options: [],
  examples: ['nzgw resume-tenant acme'],
  needs: ['databaseUrl'],
  async run(context) {
    const [reference = ''] = context.positionals;
    const change = await withDatabase(context, (queries) =>
      setTenantStatus(queries, reference, 'active'),
    );
    tellStatus(context.output, change);
    return EXIT.done;
  },
});
