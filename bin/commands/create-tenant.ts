import { createTenant as insertTenant } from '../../lib/tenants/create-tenant.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { deriveSlug } from '../../lib/tenants/slug.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { usageError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import type { Output } from '../program/output.ts';
import { renderFacts } from '../program/table.ts';
import { toGivenLimits } from '../values/limits.ts';
import { TENANT_OPTIONS, tenantShape } from '../values/tenant-options.ts';
import { label } from '../values/text.ts';
import { readOptions, readPositional } from '../values/value.ts';
import { toLimitsDocument, toLimitsFacts } from '../views/limits-view.ts';
import { isDenied, showTenantModels } from '../views/tenant-view.ts';

const RETENTION_DAYS = 90;

export const createTenant = defineCommand({
  name: 'create-tenant',
  summary: 'Makes a tenant, whose keys may use nothing until models are allowed.',
  positionals: [{ name: 'NAME', required: true, meaning: 'its name, from which a slug is made' }],
  options: TENANT_OPTIONS,
  examples: [
    'nzgw create-tenant acme --rpm 60 --tpm 100k --concurrency 4 --models llama3:8b,qwen3:*',
    'nzgw create-tenant "Acme GmbH" --slug acme --budget 1M/month --all-models',
  ],
  needs: ['databaseUrl'],
  async run(context) {
    const input = readOptions(tenantShape, context.options);
    const name = readPositional('NAME', label(1, 200), context.positionals[0]);
    const tenant = await withDatabase(context, (queries) =>
      insertTenant(queries, {
        slug: input.slug ?? demandSlug(name),
        name,
        allowAllModels: input['all-models'] ?? false,
        allowedModels: input.models ?? [],
        allowRuntimeOptions: input['allow-runtime-options'] ?? false,
        maxNumCtx: input['max-num-ctx'] ?? null,
        auditRetentionDays: input['audit-retention-days'] ?? RETENTION_DAYS,
        limits: { ...NO_LIMITS, ...toGivenLimits(input) },
      }),
    );
    tell(context.output, tenant);
    return EXIT.done;
  },
});

function demandSlug(name: string): string {
  const slug = deriveSlug(name);
  if (slug !== undefined) return slug;
  throw usageError('no slug can be made of this name', 'give one: --slug acme');
}

function tell(output: Output, tenant: Tenant): void {
  const { id, slug, name, status } = tenant;
  output.answer({ id, slug, name, status, limits: toLimitsDocument(tenant) }, () => [
    `Created tenant ${slug}  (${id})`,
    ...renderFacts(toLimitsFacts(tenant.limits, showTenantModels(tenant))).map(
      (line) => `  ${line}`,
    ),
  ]);
  if (isDenied(tenant)) {
    output.note('No model is allowed yet: every request of its keys will be refused.');
    output.note(`Next: nzgw update-tenant ${slug} --models NAME,NAME   or   --all-models`);
    return;
  }
  output.note(`Next: nzgw create-key ${slug} --name laptop`);
}
