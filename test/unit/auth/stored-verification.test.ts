import { expect } from 'chai';
import { deriveSecrets, digestKey } from '../../../lib/auth/key-digest.ts';
import { readVerification, writeVerification } from '../../../lib/auth/stored-verification.ts';
import { makeKeyRow, makeTenantRow } from '../../support/rows.ts';

const secrets = deriveSecrets('a pepper of at least thirty-two bytes');
const digest = digestKey(secrets, 'nz_right');
const principal = { key: makeKeyRow({ version: 3 }), tenant: makeTenantRow({ version: 4 }) };
const text = writeVerification(secrets, principal, digest, 1e12 + 0.7);

describe('auth/stored-verification', () => {
  const read = (changed: { text?: string; nowMs?: number } = {}) =>
    readVerification(secrets, principal, digest, { text, nowMs: 1e12 + 250, ...changed });

  it('tells the age of an entry of its own', () => {
    expect(read()).to.equal(250);
    expect(text).to.match(/^1\.[0-9a-f]{64}\.3\.4\.1000000000000\.[0-9a-f]{64}$/);
  });

  it('bears clocks that differ a little, and no more', () => {
    expect(read({ nowMs: 1e12 - 4_000 })).to.equal(0);
    expect(read({ nowMs: 1e12 - 6_000 })).to.equal(undefined);
  });

  it('is worth nothing for other versions, another key or another secret', () => {
    const { key, tenant } = principal;
    const stored = { text, nowMs: 1e12 };
    const others = [
      { key: { ...key, version: 5 }, tenant },
      { key, tenant: { ...tenant, version: 5 } },
      { key: { ...key, keyId: 'other' }, tenant },
    ];
    for (const other of others) {
      expect(readVerification(secrets, other, digest, stored)).to.equal(undefined);
    }
    const wrong = digestKey(secrets, 'nz_wrong');
    expect(readVerification(secrets, principal, wrong, stored)).to.equal(undefined);
  });

  it('is worth nothing with any character changed, or of any other form', () => {
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === '1' ? '2' : '1';
      const forged = text.slice(0, at) + other + text.slice(at + 1);
      expect(read({ text: forged }), forged).to.equal(undefined);
    }
    const broken = ['', '1', '....', text + '0', text.slice(1), `${text}\n`, '{"digest":""}'];
    for (const other of broken) expect(read({ text: other })).to.equal(undefined);
  });

  it('is worth nothing under another pepper', () => {
    const other = deriveSecrets('another pepper of thirty-two bytes or so');
    const stored = { text, nowMs: 1e12 };
    expect(readVerification(other, principal, digest, stored)).to.equal(undefined);
    expect(digestKey(other, 'nz_right')).not.to.deep.equal(digest);
    expect(other.mac.equals(other.digest)).to.equal(false);
  });
});
