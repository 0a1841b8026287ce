import { expect } from 'chai';
import { deriveSecrets, digestKey } from '../../../lib/auth/key-digest.ts';
import { makeVerifiedKeys } from '../../../lib/auth/verified-keys.ts';
import { makeKeyRow, makeTenantRow } from '../../support/rows.ts';

const secrets = deriveSecrets('a pepper of at least thirty-two bytes');
const digest = digestKey(secrets, 'nz_right');

describe('auth/verified-keys', () => {
  let nowMs: number;
  const clock = { monotonicMs: () => nowMs, wallMs: () => 5_000 + nowMs };
  const principal = { key: makeKeyRow(), tenant: makeTenantRow() };

  beforeEach(() => {
    nowMs = 0;
  });

  it('knows a key for its time, by its whole digest', () => {
    const verified = makeVerifiedKeys(clock);
    expect(verified.readLeftMs(principal, digest)).to.equal(0);
    verified.add(principal, digest, 1_000);
    expect(verified.readLeftMs(principal, digest)).to.equal(1_000);
    expect(verified.readLeftMs(principal, digestKey(secrets, 'nz_right2'))).to.equal(0);
    nowMs = 1_000;
    expect(verified.readLeftMs(principal, digest)).to.equal(0);
  });

  it('knows it for no other version of either row', () => {
    const verified = makeVerifiedKeys(clock);
    verified.add(principal, digest, 1_000);
    const { key, tenant } = principal;
    expect(verified.readLeftMs({ key: makeKeyRow({ version: 2 }), tenant }, digest)).to.equal(0);
    expect(verified.readLeftMs({ key, tenant: makeTenantRow({ version: 2 }) }, digest)).to.equal(0);
    expect(verified.readLeftMs({ key: makeKeyRow({ keyId: 'x' }), tenant }, digest)).to.equal(0);
  });

  it('keeps nothing beyond the expiry of the key', () => {
    const verified = makeVerifiedKeys(clock);
    const expiring = { key: makeKeyRow({ expiresAtMs: 5_300 }), tenant: principal.tenant };
    verified.add(expiring, digest, 1_000);
    nowMs = 299;
    expect(verified.readLeftMs(expiring, digest)).to.equal(1);
    nowMs = 300;
    expect(verified.readLeftMs(expiring, digest)).to.equal(0);
  });

  it('holds a bounded number of keys', () => {
    const verified = makeVerifiedKeys(clock, 2);
    const all = ['a', 'b', 'c'].map((keyId) => ({ ...principal, key: makeKeyRow({ keyId }) }));
    for (const each of all) verified.add(each, digest, 1_000);
    expect(all.map((each) => verified.readLeftMs(each, digest))).to.deep.equal([0, 1_000, 1_000]);
  });
});
