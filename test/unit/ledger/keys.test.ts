import { expect } from 'chai';
import { crc16, KEYS, shardOf } from '../../../lib/ledger/keys.ts';

describe('ledger/keys', () => {
  it('counts CRC-16 as Redis Cluster does, so that a slot can be told from outside', () => {
    expect(crc16(Buffer.from('123456789'))).to.equal(0x31c3);
    expect(crc16(new Uint8Array())).to.equal(0);
  });

  it('puts every tenant into the only shard where there is one', () => {
    expect(shardOf('00000000-0000-4000-8000-000000000001', 1)).to.equal(0);
  });

  it('spreads tenants over all shards, the same way each time', () => {
    const seen = new Set<number>();
    for (let tenant = 0; tenant < 500; tenant += 1) {
      const id = `00000000-0000-4000-8000-${String(tenant).padStart(12, '0')}`;
      expect(shardOf(id, 16)).to.equal(crc16(Buffer.from(id)) % 16);
      seen.add(shardOf(id, 16));
    }
    expect(seen.size).to.equal(16);
  });

  it('gives the keys of one shard one hash tag, so that a script touches one slot', () => {
    expect(KEYS.events(3)).to.equal('nz1:{s03}:events');
    expect(KEYS.revokedKey(3, 'k')).to.equal('nz1:{s03}:revoked:k:k');
    expect(KEYS.revokedTenant(12, 't')).to.equal('nz1:{s12}:revoked:t:t');
  });

  it('tells no URL of an upstream, whose password it may hold', () => {
    const name = KEYS.models('http://user:secret@ollama:11434');
    expect(name).to.match(/^nz1:models:[0-9a-f]{32}$/);
    expect(name).not.to.equal(KEYS.models('http://ollama:11434'));
  });
});
