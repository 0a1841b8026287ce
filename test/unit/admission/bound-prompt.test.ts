import { expect } from 'chai';
import { boundPrompt, estimatePrompt } from '../../../lib/admission/bound-prompt.ts';
import type { PromptContext } from '../../../lib/admission/bound-prompt.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import type { Call } from '../../../lib/http/call.ts';
import { sampleCall } from '../../support/sample-request.ts';

const MEASURE = { textBytes: 1_001, messages: 3, images: 2, contextNumbers: 50, template: false };
const WHOLE = 1_001 + 3 * 8 + 2 * 4_096 + 50 + 512 + 30;

const bound = (call: Partial<Call>, changes: Partial<PromptContext> = {}): number =>
  boundPrompt(sampleCall({ measure: MEASURE, ...call }), {
    imageTokens: 4_096,
    baseTokens: 512,
    model: { ownTextBytes: 30, embedding: false },
    numCtx: null,
    ...changes,
  });

describe('admission/bound-prompt', () => {
  it('counts every byte of text, the model’s own too, and what stands for messages and images', () => {
    expect(bound({})).to.equal(WHOLE);
    expect(bound({ route: 'generate' })).to.equal(WHOLE);
  });

  it('is no more than the context that is sent leaves, beside one token of output', () => {
    expect(bound({}, { numCtx: 4_096 })).to.equal(4_095);
    expect(bound({}, { numCtx: 1_000_000 })).to.equal(WHOLE);
  });

  it('is the whole context for a template of the request, and none where no context is sent', () => {
    const measure = { ...MEASURE, template: true };
    expect(bound({ measure }, { numCtx: 4_096 })).to.equal(4_095);
    expect(bound({ measure }, { numCtx: 1_000_000 })).to.equal(999_999);
    expect(() => bound({ measure }))
      .to.throw(GatewayError)
      .with.property('code', 'invalid_request');
  });

  it('is never nothing: a request that would hold nothing cannot be admitted', () => {
    const nothing = { textBytes: 0, messages: 0, images: 0, contextNumbers: 0, template: false };
    const model = { ownTextBytes: 0, embedding: false };
    expect(bound({ measure: nothing }, { baseTokens: 0, model })).to.equal(1);
  });

  it('is doubled for embeddings, whose models may lengthen a text', () => {
    expect(bound({ route: 'embed' })).to.equal(2 * WHOLE);
    expect(bound({ route: 'embeddings' })).to.equal(2 * WHOLE);
    const embedding = { ownTextBytes: 30, embedding: true };
    expect(bound({ route: 'generate' }, { model: embedding })).to.equal(2 * WHOLE);
  });

  it('each text to embed has a context of its own', () => {
    expect(bound({ route: 'embed' }, { numCtx: 100 })).to.equal(2 * 3 * 99);
    const one = { textBytes: 1_001, messages: 0, images: 0, contextNumbers: 0, template: false };
    expect(bound({ route: 'embeddings', measure: one }, { numCtx: 100 })).to.equal(2 * 99);
  });

  it('estimates a prompt at four bytes a token and 1,024 tokens an image', () => {
    expect(estimatePrompt({ measure: MEASURE })).to.equal(251 + 2_048);
  });
});
