import { expect } from 'chai';
import { crc32 } from 'node:zlib';
import { KEY_LENGTH, makeKey, readPublicId } from '../../../lib/auth/key-format.ts';

describe('auth/key-format', () => {
  it('makes keys of the documented shape, of which it reads the public id back', () => {
    for (let round = 0; round < 500; round += 1) {
      const { key, publicId } = makeKey();
      expect(key).to.match(/^nz_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
      expect(key).to.have.length(KEY_LENGTH);
      expect(readPublicId(key)).to.equal(publicId);
    }
  });

  it('never makes the same key twice', () => {
    const keys = new Set(Array.from({ length: 2_000 }, () => makeKey().key));
    expect(keys.size).to.equal(2_000);
  });

  it('ends in the CRC-32 of all before it, zero-padded, so that others can check it too', () => {
    const { key } = makeKey();
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    let sum = 0;
    for (const digit of key.slice(-6)) sum = sum * 62 + alphabet.indexOf(digit);
    expect(sum).to.equal(crc32(key.slice(0, -6)));
  });

  it('draws all 62 characters evenly', () => {
    const counts = new Map<string, number>();
    for (let round = 0; round < 2_000; round += 1) {
      for (const char of makeKey().key.slice(16, -6)) {
        counts.set(char, (counts.get(char) ?? 0) + 1);
      }
    }
    const expected = (2_000 * 43) / 62;
    expect(counts.size).to.equal(62);
    for (const count of counts.values()) expect(count).to.be.closeTo(expected, expected * 0.2);
  });

  it('refuses every key with one character changed', () => {
    const { key } = makeKey();
    for (let at = 0; at < key.length; at += 1) {
      const other = key[at] === 'A' ? 'B' : 'A';
      expect(readPublicId(key.slice(0, at) + other + key.slice(at + 1))).to.equal(undefined);
    }
  });

  it('refuses what is too long, too short, or outside the alphabet', () => {
    const { key } = makeKey();
    const wrong = ['', 'nz_', key + 'A', key.slice(1), ` ${key}`, key.slice(0, -1), `${key}\n`];
    const odd = ['é', '\u0000', '-', '%', '\uff21'].map(
      (char) => key.slice(0, 20) + char + key.slice(21),
    );
    for (const text of [...wrong, ...odd]) expect(readPublicId(text)).to.equal(undefined);
    const inId = key.slice(0, 5) + '-' + key.slice(6);
    expect(readPublicId(inId)).to.equal(undefined);
  });

  it('is done at once with megabytes of rubbish', () => {
    const started = process.hrtime.bigint();
    expect(readPublicId('nz_' + 'A'.repeat(8_000_000))).to.equal(undefined);
    expect(Number(process.hrtime.bigint() - started) / 1e6).to.be.below(100);
  });
});
