import { expect } from 'chai';
import { toAdmitArguments } from '../../../lib/ledger/admit-request.ts';
import type { AdmitRequest } from '../../../lib/ledger/admit-request.ts';
import { toSettleArguments } from '../../../lib/ledger/settle-request.ts';
import { sampleAdmitRequest, sampleEntry } from '../../support/sample-request.ts';

const CONTEXT = { shard: 0, incarnation: 'w', leaseMs: 30_000, deadlineMs: 5, facts: '{}' };
const NOT_COUNTS = [-1, 0.5, NaN, Infinity, 2 ** 53];

function prepare(changes: Partial<AdmitRequest>): readonly unknown[] {
  return toAdmitArguments(sampleAdmitRequest(changes), CONTEXT);
}

describe('ledger/admit-request, ledger/settle-request', () => {
  it('send no weight that Redis could not add exactly', () => {
    for (const wrong of NOT_COUNTS) {
      for (const name of ['promptTokens', 'promptBoundTokens', 'askedTokens', 'leastTokens']) {
        expect(() => prepare({ [name]: wrong }), `${name} ${wrong}`).to.throw(RangeError);
      }
      expect(() => toSettleArguments(sampleEntry({ chargedTokens: wrong }), 0)).to.throw(
        RangeError,
      );
    }
    const sum = { promptBoundTokens: 2 ** 52, askedTokens: 2 ** 52 };
    expect(() => prepare(sum), 'the sum too').to.throw(RangeError);
  });

  it('send no request that would hold nothing; one without output may hold its prompt alone', () => {
    expect(() => prepare({ promptBoundTokens: 0, askedTokens: 0 })).to.throw(RangeError);
    expect(prepare({ askedTokens: 0, leastTokens: 0 })).to.have.length(37);
  });

  it('send no limit that is no count, and none for a limit that is not set', () => {
    const { keyLimits } = sampleAdmitRequest();
    for (const limit of NOT_COUNTS) {
      const limits = { ...keyLimits, budgetTokens: limit, budgetPeriod: 'day' as const };
      expect(() => prepare({ keyLimits: limits })).to.throw(RangeError);
    }
    expect(prepare({}).slice(27)).to.deep.equal(['', '', '', '', '', '', '', '', '', '']);
    const day = { ...keyLimits, budgetTokens: 0, budgetPeriod: 'day' as const };
    expect(prepare({ keyLimits: day }).slice(33, 35)).to.deep.equal([0, 'd']);
    const unnamed = { ...keyLimits, budgetTokens: 7, budgetPeriod: null };
    expect(prepare({ keyLimits: unnamed }).slice(33, 35)).to.deep.equal([7, 't']);
  });
});
