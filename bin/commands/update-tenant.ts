import { updateTenant as changeTenant } from '../../lib/tenants/update-tenant.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { TENANT } from '../program/positionals.ts';
import { renderFacts } from '../program/table.ts';
import { demandChange } from '../values/demand-change.ts';
import { toGivenLimits } from '../values/limits.ts';
import { TENANT_OPTIONS, tenantShape } from '../values/tenant-options.ts';
import { label } from '../values/text.ts';
import { readOptions } from '../values/value.ts';
import { toTenantDocument, toTenantFacts } from '../views/tenant-view.ts';

export const updateTenant = defineCommand({
  name: 'update-tenant',
  summary: 'Changes limits, models or the name; what is not named stays.',
  positionals: [TENANT],
  options: [{ name: 'name', placeholder: 'TEXT', meaning: 'Name for people.' }, ...TENANT_OPTIONS],
  examples: [
    'nzgw update-tenant acme --models llama3:8b,qwen3:*',
    'nzgw update-tenant acme --rpm 120 --budget none',
    'nzgw update-tenant acme --no-all-models --models none',
  ],
  needs: ['databaseUrl'],
  async run(context) {
    const input = readOptions({ ...tenantShape, name: label(1, 200).optional() }, context.options);
    demandChange(input);
    const [reference = ''] = context.positionals;
    const tenant = await withDatabase(context, (queries) =>
      changeTenant(queries, reference, {
        slug: input.slug,
        name: input.name,
        allowAllModels: input['all-models'],
        allowedModels: input.models,
        allowRuntimeOptions: input['allow-runtime-options'],
        maxNumCtx: input['max-num-ctx'],
        auditRetentionDays: input['audit-retention-days'],
        limits: toGivenLimits(input),
      }),
    );
    context.output.answer(toTenantDocument(tenant), () => renderFacts(toTenantFacts(tenant)));
    return EXIT.done;
  },
});
