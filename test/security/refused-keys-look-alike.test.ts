import { expect } from 'chai';
import { toErrorBody } from '../../lib/errors/error-body.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import { AuthWorld, refusalOf } from '../support/auth-world.ts';
import { makeTenantRow } from '../support/rows.ts';

/** hardening.md T02, T10: a guesser learns nothing from a 401. */
describe('security: all refused keys look alike', () => {
  it('in status, code and body, whatever the reason', async () => {
    const world = new AuthWorld();
    const at = world.clock.wallMs();
    const { key, row } = world.addKey();
    const closed = world.addKey({ tenantId: 'closed' });
    world.tenants.set('closed', makeTenantRow({ tenantId: 'closed', status: 'closed' }));
    const suspended = world.addKey({ tenantId: 'suspended' });
    world.tenants.set('suspended', makeTenantRow({ tenantId: 'suspended', status: 'suspended' }));
    const calls = {
      missing: world.callRaw([]),
      malformed: world.call('nz_rubbish'),
      'wrong sum': world.call(`${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`),
      unknown: world.call(makeKey().key),
      'wrong secret': world.call(world.addWrongKey(row)),
      'wrong secret, no tag': world.call(world.addWrongKey({ ...row, secretTag: null })),
      'wrong secret, suspended': world.call(world.addWrongKey(suspended.row)),
      revoked: world.call(world.addKey({ status: 'revoked' }).key),
      expired: world.call(world.addKey({ expiresAtMs: at - 1 }).key),
      'closed tenant': world.call(closed.key),
    };
    const bodies = new Set<string>();
    for (const [reason, call] of Object.entries(calls)) {
      const refusal = await refusalOf(call);
      expect(refusal.status, reason).to.equal(401);
      expect(refusal.details, reason).to.deep.equal({});
      bodies.add(toErrorBody(refusal, 'openai') + toErrorBody(refusal, 'native'));
    }
    expect(bodies.size).to.equal(1);
    expect([...bodies].join()).not.to.contain(key.slice(3, 15));
  });
});
