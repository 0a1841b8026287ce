import { expect } from 'chai';
import { readHoldLook, readLook, readStrays, readWaits } from '../../../lib/ledger/look-replies.ts';

const COUNTERS = [
  { scope: 'k:1', period: 't' },
  { scope: 't:1', period: 'd20000' },
] as const;

describe('ledger/look-replies', () => {
  it('types what is seen of counters, each beside its name', () => {
    const raw = [
      'ok',
      5,
      'life',
      1,
      0,
      [
        [1, 10, 20, 30, 40, 2],
        [0, 0, 0, 0, 0, 0],
      ],
    ];
    const look = readLook(COUNTERS, raw);
    expect(look).to.include({ nowMs: 5, lifeId: 'life', current: true, ready: false });
    expect(look.counters[0]).to.deep.equal({
      scope: 'k:1',
      period: 't',
      exists: true,
      spentTokens: 10,
      heldTokens: 20,
      streamTokens: 30,
      streamEvents: 2,
      liveTokens: 40,
    });
    expect(look.counters[1]).to.include({ scope: 't:1', exists: false });
  });

  it('takes no life for none, and a counter that was not told for one that is not there', () => {
    const look = readLook(COUNTERS, ['ok', 5, '', 0, 0, []]);
    expect(look.lifeId).to.equal(null);
    expect(look.counters.map(({ exists, spentTokens }) => [exists, spentTokens])).to.deep.equal([
      [false, 0],
      [false, 0],
    ]);
  });

  it('types a hold, and knows none and an odd one', () => {
    const fields = {
      state: 'live',
      owners: 'key tenant',
      sizes: '700 1000 110 0 0 0 0',
      row: '{"model":"m"}',
      prompt: '3',
      completion: '4',
    };
    expect(readHoldLook('1', fields, 9)).to.deep.equal({
      id: '1',
      state: 'live',
      keyId: 'key',
      tenantId: 'tenant',
      admittedAtMs: 1_000,
      lapsesAtMs: 9,
      heldTokens: 700,
      promptTokens: 3,
      completionTokens: 4,
      facts: '{"model":"m"}',
    });
    expect(readHoldLook('1', {}, 9)).to.equal(undefined);
    expect(readHoldLook('1', { state: 'reaped' }, 9)).to.include({
      keyId: '',
      tenantId: '',
      admittedAtMs: 0,
      heldTokens: 0,
      promptTokens: 0,
      completionTokens: 0,
      facts: '{}',
    });
  });

  it('types strays and waits', () => {
    expect(readStrays(['ok', 5, '17', ['a'], ['b']])).to.deep.equal({
      next: '17',
      holdsWithoutLease: ['a'],
      leasesWithoutHold: ['b'],
    });
    expect(readWaits(['ok', 5, [1, 2, 3, 4]])).to.deep.equal({
      nowMs: 5,
      key: { requestsMs: 1, tokensMs: 3 },
      tenant: { requestsMs: 2, tokensMs: 4 },
    });
    expect(readWaits(['ok', 5, []]).tenant).to.deep.equal({ requestsMs: 0, tokensMs: 0 });
  });

  it('takes nothing for an answer that the scripts do not give', () => {
    for (const read of [readStrays, readWaits, (raw: unknown) => readLook([], raw)]) {
      expect(() => read(['owner', 5])).to.throw(TypeError);
    }
  });
});
