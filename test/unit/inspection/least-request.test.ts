import { expect } from 'chai';
import { measureLeastRequest } from '../../../lib/inspection/least-request.ts';

describe('inspection/least-request', () => {
  it('is a letter in and a token out, with what every prompt has', () => {
    const model = { ownTextBytes: 100, embedding: false };
    expect(measureLeastRequest({ model, numCtx: null, baseTokens: 512 })).to.deep.equal({
      countedTokens: 2,
      boundTokens: 613,
      outputTokens: 1,
    });
  });

  it('is no more than the context that is sent', () => {
    const model = { ownTextBytes: 100, embedding: false };
    const need = measureLeastRequest({ model, numCtx: 256, baseTokens: 512 });
    expect(need.boundTokens).to.equal(255);
  });

  it('generates nothing of an embedding, whose text may grow', () => {
    const model = { ownTextBytes: 0, embedding: true };
    expect(measureLeastRequest({ model, numCtx: null, baseTokens: 512 })).to.deep.equal({
      countedTokens: 1,
      boundTokens: 1_026,
      outputTokens: 0,
    });
  });
});
