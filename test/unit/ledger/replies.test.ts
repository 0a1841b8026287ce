import { expect } from 'chai';
import { readAdmitReply } from '../../../lib/ledger/admit-reply.ts';
import { readFailReply } from '../../../lib/ledger/fail-reply.ts';
import { readPeekReply } from '../../../lib/ledger/peek.ts';
import { readRenewReply } from '../../../lib/ledger/renew-request.ts';
import { readDrifts, readIsReady, readTick } from '../../../lib/ledger/shard-replies.ts';

const USAGE = [1, null, 30, 40, null, null, 7, 8];

describe('ledger/replies', () => {
  it('types an admission with what was used, each number beside its limit', () => {
    const reply = readAdmitReply(['ok', 5, 100, 140, USAGE]);
    expect(reply).to.deep.equal({
      ...{ kind: 'ok', nowMs: 5, grantedTokens: 100, heldTokens: 140 },
      usage: {
        key: { requests: 1, tokens: 30, spentTokens: null, heldTokens: null },
        tenant: { requests: null, tokens: 40, spentTokens: 7, heldTokens: 8 },
      },
    });
  });

  it('types a refusal with every reason, of the key and of the tenant apart', () => {
    const reply = readAdmitReply(['no', 5, USAGE, [100, 0, 0, 200, 0, 1, 2, 1, 1]]);
    expect(reply).to.deep.include({
      key: { requestsWaitMs: 100, tokensWaitMs: null, concurrency: false, budget: 'spent' },
      tenant: { requestsWaitMs: null, tokensWaitMs: 200, concurrency: true, budget: 'held' },
      backlog: true,
    });
    const free = readAdmitReply(['no', 5, [], [0, 0, 0, 0, 0, 0, 0, 0, 0]]);
    expect(free).to.deep.include({
      key: { requestsWaitMs: null, tokensWaitMs: null, concurrency: false, budget: null },
      backlog: false,
    });
    expect(free).to.have.nested.property('usage.tenant.requests', null);
    expect(readAdmitReply(['no', 5, [], []])).to.have.nested.property('key.requestsWaitMs', null);
  });

  it('types the words that come with nothing but the time', () => {
    for (const kind of ['late', 'life', 'fill', 'revoked'] as const) {
      expect(readAdmitReply([kind, 5])).to.deep.equal({ kind, nowMs: 5 });
    }
  });

  it('types what a renewal tells of a shard, and of one that has no life yet', () => {
    const known = { nowMs: 5, lifeId: 'a', current: true, unknown: ['x'] };
    expect(readRenewReply(['ok', 5, 'a', 1, ['x']])).to.deep.equal(known);
    expect(readRenewReply(['ok', 5, '', 0, []])).to.include({ lifeId: null, current: false });
  });

  it('types what the owner sees, and whether a shard admits for whoever asks', () => {
    const seen = { nowMs: 5, lifeId: 'a', ready: true, current: true, waiting: 3, fills: ['f'] };
    expect(readTick(['ok', 5, 'a', 1, 1, 3, ['f']])).to.deep.equal(seen);
    expect(readTick(['ok', 5, '', 0, 0, 0, []])).to.include({ lifeId: null, ready: false });
    expect(readTick(['owner', 5, 'a', 1, 1, 3, []])).to.equal('owner');
    expect(readIsReady(['owner', 5, 'a', 1, 1, 3, []])).to.equal(true);
    expect(readIsReady(['owner', 5, 'a', 1, 0, 3, []])).to.equal(false);
    expect(readIsReady(['owner', 5, 'a', 0, 1, 3, []])).to.equal(false);
  });

  it('types drifts, four parts each', () => {
    expect(readDrifts([])).to.deep.equal([]);
    expect(readDrifts(['k:1', 't', 5, -6])).to.deep.equal([
      { scope: 'k:1', period: 't', spentTokens: 5, heldTokens: -6 },
    ]);
  });

  it('types what a caller has used', () => {
    expect(readPeekReply(['fill', 5])).to.deep.equal({ kind: 'fill', nowMs: 5 });
    const reply = readPeekReply(['ok', 5, 1, 2, 3, 4, 5, 6, null, null, 7, 8]);
    expect(reply).to.deep.equal({
      ...{ kind: 'ok', nowMs: 5 },
      key: { requests: 1, tokens: 3, running: 5, spentTokens: null, heldTokens: null },
      tenant: { requests: 2, tokens: 4, running: 6, spentTokens: 7, heldTokens: 8 },
    });
  });

  it('types how long a failure must wait', () => {
    expect(readFailReply(['pass'])).to.equal(0);
    expect(readFailReply(['wait', 5])).to.equal(5);
  });

  it('trusts no other word', () => {
    const readers = [readAdmitReply, readFailReply, readPeekReply, readRenewReply, readTick];
    for (const read of readers) expect(() => read(['yes', 1])).to.throw(TypeError);
  });
});
