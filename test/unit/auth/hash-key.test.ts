import { verifySync } from '@node-rs/argon2';
import { expect } from 'chai';
import { hashKey, isWeakerThan } from '../../../lib/auth/hash-key.ts';

const cost = { memoryKib: 8_192, passes: 2, lanes: 1 };

describe('auth/hash-key', () => {
  it('makes an Argon2id PHC string of the asked cost, salted anew each time', async () => {
    const hashes = await Promise.all([hashKey('nz_key', cost), hashKey('nz_key', cost)]);
    expect(hashes[0]).to.match(/^\$argon2id\$v=19\$m=8192,t=2,p=1\$/);
    expect(hashes[0]).not.to.equal(hashes[1]);
    expect(verifySync(hashes[0], 'nz_key')).to.equal(true);
    expect(verifySync(hashes[0], 'nz_kez')).to.equal(false);
  });

  it('calls a hash weaker when it had less memory, fewer passes or another algorithm', async () => {
    const phc = await hashKey('nz_key', cost);
    expect(isWeakerThan(phc, cost)).to.equal(false);
    expect(isWeakerThan(phc, { ...cost, memoryKib: 9_000 })).to.equal(true);
    expect(isWeakerThan(phc, { ...cost, passes: 3 })).to.equal(true);
    expect(isWeakerThan(phc, { memoryKib: 8_000, passes: 1, lanes: 4 })).to.equal(false);
    expect(isWeakerThan(phc.replace('argon2id', 'argon2i'), cost)).to.equal(true);
  });
});
