import { expect } from 'chai';
import { chooseNumPredict } from '../../../lib/admission/num-predict.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { sampleCall, samplePrincipal } from '../../support/sample-request.ts';

const choose = (
  asked: unknown,
  limits: Parameters<typeof samplePrincipal>[0] = {},
): number | null =>
  chooseNumPredict(
    sampleCall({ options: asked === undefined ? {} : { num_predict: asked } }),
    samplePrincipal(limits),
    8_192,
  );

describe('admission/num-predict', () => {
  it('takes the default where the client asks for no end', () => {
    for (const asked of [undefined, -1, -2, 0]) expect(choose(asked)).to.equal(8_192);
  });

  it('takes what was asked, above the default too, where no limit stands', () => {
    expect(choose(5)).to.equal(5);
    expect(choose(20_000)).to.equal(20_000);
  });

  it('takes no number that sums of holds could not be exact with', () => {
    expect(choose(Number.MAX_SAFE_INTEGER)).to.equal(1_000_000_000);
  });

  it('takes the least of what was asked and of both limits', () => {
    const limits = { key: { maxOutputTokens: 300 }, tenant: { maxOutputTokens: 200 } };
    expect(choose(1_000, limits)).to.equal(200);
    expect(choose(undefined, limits)).to.equal(200);
    expect(choose(100, limits)).to.equal(100);
    expect(choose(1_000, { key: { maxOutputTokens: 300 } })).to.equal(300);
  });

  it('refuses generation under a limit of 0, and lets embeddings pass, which generate nothing', () => {
    const none = { tenant: { maxOutputTokens: 0 } };
    expect(() => choose(5, none))
      .to.throw(GatewayError)
      .with.property('code', 'request_too_large_for_limit');
    for (const route of ['embed', 'embeddings'] as const) {
      const call = sampleCall({ route, options: { num_predict: 5 } });
      expect(chooseNumPredict(call, samplePrincipal(none), 8_192)).to.equal(null);
    }
  });
});
