import { expect } from 'chai';
import { derivePromptKey, openPrompt, sealPrompt } from '../../../lib/promptlog/seal-prompt.ts';

const SECRET = 'a secret for prompts, thirty-two bytes and more';
const OWNER = { id: 'id', tenantId: 'acme', keyId: 'key' };

describe('promptlog/seal-prompt', () => {
  const key = derivePromptKey(SECRET, OWNER.tenantId);

  it('opens what it sealed, and shows nothing of it', () => {
    const sealed = sealPrompt(key, OWNER, 'grüße 🦙');
    expect(openPrompt(key, OWNER, sealed)).to.equal('grüße 🦙');
    expect(sealed.nonce).to.have.length(12);
    expect(sealed.sealed).to.have.length(Buffer.byteLength('grüße 🦙') + 16);
    expect(sealed.sealed.includes('gr')).to.equal(false);
  });

  it('never seals alike, for a nonce that came twice would give texts away', () => {
    const seen = Array.from({ length: 100 }, () => sealPrompt(key, OWNER, 'x'));
    expect(new Set(seen.map(({ nonce }) => nonce.toString('hex'))).size).to.equal(100);
    expect(new Set(seen.map(({ sealed }) => sealed.toString('hex'))).size).to.equal(100);
  });

  it('has a key for each tenant, which opens no other', () => {
    const other = derivePromptKey(SECRET, 'other');
    expect(other.equals(key)).to.equal(false);
    expect(openPrompt(other, OWNER, sealPrompt(key, OWNER, 'x'))).to.equal(null);
    expect(derivePromptKey(`${SECRET}!`, 'acme').equals(key)).to.equal(false);
  });

  it('opens no row under another id, tenant or key, so that none can be passed off as another', () => {
    const sealed = sealPrompt(key, OWNER, 'x');
    for (const name of ['id', 'tenantId', 'keyId'] as const) {
      expect(openPrompt(key, { ...OWNER, [name]: 'another' }, sealed)).to.equal(null);
    }
  });

  it('opens nothing that was changed or cut', () => {
    const { nonce, sealed } = sealPrompt(key, OWNER, 'text');
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(openPrompt(key, OWNER, { nonce, sealed: changed })).to.equal(null);
    }
    for (const length of [0, 15, 16, sealed.length - 1]) {
      expect(openPrompt(key, OWNER, { nonce, sealed: sealed.subarray(0, length) })).to.equal(null);
    }
  });
});
