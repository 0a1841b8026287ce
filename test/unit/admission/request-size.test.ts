import { expect } from 'chai';
import { leastOfBudget, leastOfMinute, sizeRequest } from '../../../lib/admission/request-size.ts';
import { sampleCall, samplePrincipal, SAMPLE_GRANT } from '../../support/sample-request.ts';

const CONTEXT = {
  imageTokens: 4_096,
  baseTokens: 512,
  model: SAMPLE_GRANT.model,
  numCtx: null,
  defaultMaxTokens: 8_192,
  leastOutputTokens: 64,
};

describe('admission/request-size', () => {
  it('asks for the default output and at least 64 tokens of it', () => {
    const size = sizeRequest(sampleCall(), samplePrincipal(), CONTEXT);
    expect(size).to.deep.equal({
      promptTokens: 3,
      promptBoundTokens: 10 + 16 + 512,
      askedTokens: 8_192,
      leastTokens: 64,
    });
    expect(leastOfMinute(size)).to.equal(67);
    expect(leastOfBudget(size)).to.equal(539);
  });

  it('needs no more than was asked', () => {
    const call = sampleCall({ options: { num_predict: 5 } });
    expect(sizeRequest(call, samplePrincipal(), CONTEXT)).to.include({
      askedTokens: 5,
      leastTokens: 5,
    });
  });

  it('an embedding needs its prompt alone', () => {
    const size = sizeRequest(sampleCall({ route: 'embed' }), samplePrincipal(), CONTEXT);
    expect(size).to.include({ askedTokens: null, leastTokens: 0, promptBoundTokens: 1_076 });
    expect(leastOfMinute(size)).to.equal(3);
    expect(leastOfBudget(size)).to.equal(1_076);
  });
});
