import type { StatusChange } from '../../lib/tenants/update-tenant.ts';
import type { Output } from '../program/output.ts';

/** What suspend-tenant and resume-tenant answer. */
export function tellStatus(output: Output, { tenant, already }: StatusChange): void {
  const { id, slug, status } = tenant;
  output.answer({ id, slug, status, already }, () => [
    already ? `Tenant ${slug} is ${status} already.` : `Tenant ${slug} is ${status}.`,
  ]);
}
