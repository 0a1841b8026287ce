import { expect } from 'chai';
import { showKeyModels, showStatus } from '../../../../bin/views/key-view.ts';
import { showBudget, toTime } from '../../../../bin/views/limits-view.ts';
import { isDenied, showTenantModels } from '../../../../bin/views/tenant-view.ts';
import type { Key } from '../../../../lib/tenants/key.ts';
import { NO_LIMITS } from '../../../../lib/tenants/limit-columns.ts';

const KEY: Key = {
  id: '0',
  publicId: 'aaaaaaaaaaaa',
  tenantId: '1',
  tenant: 'acme',
  tenantStatus: 'active',
  name: '',
  status: 'active',
  allowAllModels: null,
  allowedModels: null,
  promptLog: false,
  promptLogDays: 7,
  limits: NO_LIMITS,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  expiresAt: new Date(1_000),
  revokedAt: null,
};

describe('bin/views', () => {
  it('says in words which models a key may use, as SPEC §3 decides it', () => {
    const cases: readonly [boolean | null, readonly string[] | null][] = [
      [true, null],
      [true, ['a']],
      [false, null],
      [false, ['a', 'b']],
      [null, null],
      [null, []],
    ];
    const told = cases.map(([allowAllModels, allowedModels]) =>
      showKeyModels({ allowAllModels, allowedModels }),
    );
    expect(told).to.deep.equal([
      'all',
      'all',
      "the tenant's list alone",
      "the tenant's among a, b",
      "as the tenant's",
      'none',
    ]);
  });

  it('says in words which models a tenant may use', () => {
    const told = [
      showTenantModels({ allowAllModels: true, allowedModels: ['a'] }),
      showTenantModels({ allowAllModels: false, allowedModels: ['a', 'b:*'] }),
      showTenantModels({ allowAllModels: false, allowedModels: [] }),
    ];
    expect(told).to.deep.equal(['all', 'a, b:*', 'none']);
  });

  it('tells an expired key from an active one, and a revoked one from both', () => {
    const revoked: Key = { ...KEY, status: 'revoked' };
    expect([
      showStatus(KEY, 999),
      showStatus(KEY, 1_000),
      showStatus(revoked, 1_000),
    ]).to.deep.equal(['active', 'expired', 'revoked']);
  });

  it('shows no limit as such, and 0 as 0', () => {
    expect(showBudget(NO_LIMITS)).to.equal('no limit');
    expect(showBudget({ ...NO_LIMITS, budgetTokens: 0, budgetPeriod: 'day' })).to.equal('0/day');
    expect([toTime(null), toTime(new Date(0))]).to.deep.equal([null, '1970-01-01T00:00:00.000Z']);
  });

  it('knows a tenant that may use nothing', () => {
    expect(isDenied({ allowAllModels: false, allowedModels: [] })).to.equal(true);
    expect(isDenied({ allowAllModels: false, allowedModels: ['a'] })).to.equal(false);
    expect(isDenied({ allowAllModels: true, allowedModels: [] })).to.equal(false);
  });
});
