import { expect } from 'chai';
import { readAdmitReply } from '../../../lib/ledger/admit-reply.ts';
import { readFailReply } from '../../../lib/ledger/fail-reply.ts';
import { readSettleReply } from '../../../lib/ledger/settle-reply.ts';

describe('ledger/replies', () => {
  it('types every word that the scripts say', () => {
    expect(readAdmitReply(['ok', 5])).to.deep.equal({ kind: 'ok', nowMs: 5 });
    expect(readAdmitReply(['late', 5])).to.deep.equal({ kind: 'late', nowMs: 5 });
    expect(readAdmitReply(['revoked'])).to.deep.equal({ kind: 'revoked' });
    expect(readAdmitReply(['backlog', 9])).to.deep.equal({ kind: 'backlog', entries: 9 });
    expect(readSettleReply(['ok', 5])).to.deep.equal({ nowMs: 5 });
    expect(readFailReply(['pass'])).to.equal(0);
    expect(readFailReply(['wait', 5])).to.equal(5);
  });

  it('trusts no other word', () => {
    for (const read of [readAdmitReply, readFailReply, readSettleReply]) {
      expect(() => read(['yes', 1])).to.throw(TypeError);
    }
  });
});
