import { expect } from 'chai';
import { ActError } from '../../../lib/tenants/act-error.ts';
import { createTenant } from '../../../lib/tenants/create-tenant.ts';
import type { NewTenant } from '../../../lib/tenants/create-tenant.ts';
import { findTenant, listTenants } from '../../../lib/tenants/find-tenant.ts';
import { NO_LIMITS } from '../../../lib/tenants/limit-columns.ts';
import { setTenantStatus, updateTenant } from '../../../lib/tenants/update-tenant.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

const LIMITS = {
  requestsPerMinute: 60,
  tokensPerMinute: 100_000,
  concurrency: 4,
  budgetTokens: 1_000_000_000_000_000,
  budgetPeriod: 'month',
  maxOutputTokens: 0,
} as const;

describe('tenants: tenants in Postgres', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let client: Awaited<ReturnType<typeof connect>>;

  before(async () => {
    database = await makeDatabase();
    client = await connect(database.url);
  });

  after(async () => {
    await client.end();
    await database.drop();
  });

  it('keeps every limit of a new tenant, 0 and the largest among them', async () => {
    const made = await createTenant(client, wanted('full', { limits: LIMITS, maxNumCtx: 4_096 }));
    const found = await findTenant(client, 'full');
    expect(found.limits).to.deep.equal(LIMITS);
    expect(found).to.include({ id: made.id, maxNumCtx: 4_096, status: 'active', activeKeys: 0 });
    expect(made.createdAt).to.deep.equal(found.createdAt);
  });

  it('is found by its id too, whatever the case of it', async () => {
    const { id } = await createTenant(client, wanted('by-id'));
    expect((await findTenant(client, id.toUpperCase())).slug).to.equal('by-id');
  });

  it('makes no second tenant of a slug, and leaves the first as it was', async () => {
    await createTenant(client, wanted('once', { name: 'First' }));
    await refused(createTenant(client, wanted('once', { name: 'Second' })), 'tenant_exists');
    expect((await findTenant(client, 'once')).name).to.equal('First');
  });

  it('says which tenant is not there', async () => {
    await refused(findTenant(client, 'nobody'), 'tenant_not_found');
  });

  it('changes only what was named, in one version step or more', async () => {
    await createTenant(client, wanted('change', { limits: LIMITS, allowedModels: ['a', 'b'] }));
    const before = await versionOf('change');
    const changed = await updateTenant(client, 'change', {
      name: 'New name',
      limits: { requestsPerMinute: null, budgetTokens: null, budgetPeriod: null },
    });
    expect(changed.limits).to.deep.equal({
      ...LIMITS,
      requestsPerMinute: null,
      budgetTokens: null,
      budgetPeriod: null,
    });
    expect(changed).to.include({ name: 'New name', allowAllModels: false });
    expect(changed.allowedModels).to.deep.equal(['a', 'b']);
    expect(await versionOf('change')).to.be.greaterThan(before);
  });

  it('raises the version when limits alone change: workers believe versions', async () => {
    await createTenant(client, wanted('limits-alone'));
    const before = await versionOf('limits-alone');
    await updateTenant(client, 'limits-alone', { limits: { concurrency: 1 } });
    expect(await versionOf('limits-alone')).to.be.greaterThan(before);
  });

  it('makes the limits of a tenant that another writer inserted without any', async () => {
    await client.query(`insert into gateway.tenants (slug, name) values ('bare', 'Bare')`);
    const changed = await updateTenant(client, 'bare', { limits: { tokensPerMinute: 7 } });
    expect(changed.limits).to.deep.equal({ ...NO_LIMITS, tokensPerMinute: 7 });
  });

  it('leaves the tenant alone where nothing was named', async () => {
    await createTenant(client, wanted('same'));
    const before = await versionOf('same');
    await updateTenant(client, 'same', { limits: {} });
    expect(await versionOf('same')).to.equal(before);
  });

  it('takes no slug that another tenant has', async () => {
    await createTenant(client, wanted('slug-a'));
    await createTenant(client, wanted('slug-b'));
    await refused(updateTenant(client, 'slug-a', { slug: 'slug-b', limits: {} }), 'tenant_exists');
    const same = await updateTenant(client, 'slug-a', { slug: 'slug-a', limits: {} });
    expect(same.slug).to.equal('slug-a');
  });

  it('suspends and resumes, and tells when it was so already', async () => {
    await createTenant(client, wanted('pause'));
    const statuses = [];
    for (const status of ['suspended', 'suspended', 'active'] as const) {
      const { tenant, already } = await setTenantStatus(client, 'pause', status);
      statuses.push([tenant.status, already]);
    }
    expect(statuses).to.deep.equal([
      ['suspended', false],
      ['suspended', true],
      ['active', false],
    ]);
  });

  it('does not open a closed tenant again', async () => {
    await createTenant(client, wanted('shut'));
    await client.query(`update gateway.tenants set status = 'closed' where slug = 'shut'`);
    await refused(setTenantStatus(client, 'shut', 'active'), 'tenant_closed');
    expect((await findTenant(client, 'shut')).status).to.equal('closed');
  });

  it('lists all, by slug', async () => {
    const slugs = (await listTenants(client)).map(({ slug }) => slug);
    expect(slugs).to.include.members(['full', 'shut']);
    expect(slugs).to.deep.equal([...slugs].sort());
  });

  async function versionOf(slug: string): Promise<number> {
    const { rows } = await client.query<{ version: number }>(
      'select version from gateway.tenants where slug = $1',
      [slug],
    );
    return rows[0]?.version ?? NaN;
  }
});

function wanted(slug: string, more: Partial<NewTenant> = {}): NewTenant {
  return {
    slug,
    name: slug,
    allowAllModels: false,
    allowedModels: [],
    allowRuntimeOptions: false,
    maxNumCtx: null,
    auditRetentionDays: 90,
    limits: NO_LIMITS,
    ...more,
  };
}

async function refused(act: Promise<unknown>, code: string): Promise<void> {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(ActError);
  expect((error as ActError).code).to.equal(code);
}
