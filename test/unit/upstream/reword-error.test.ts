import { expect } from 'chai';
import { rewordError } from '../../../lib/upstream/reword-error.ts';

describe('upstream/reword-error', () => {
  const helpful: readonly (readonly [number, string, string])[] = [
    [400, '"m" does not support thinking', 'think'],
    [400, 'invalid think value: "x"', 'think'],
    [400, 'registry.ollama.ai/library/m:latest does not support tools', 'tools'],
    [400, '"m" does not support chat', 'model'],
    [400, '"m" does not support generate', 'model'],
    [400, 'm does not support insert', 'suffix'],
    [501, 'this model does not support embeddings', 'model'],
    [400, 'the prompt is longer than the context length currently available', 'messages'],
    [400, 'the input length exceeds the context length', 'messages'],
    [400, 'the request exceeds the available context size, try increasing it', 'messages'],
    [500, 'image input is not supported - hint: you may need mmproj', 'images'],
    [400, 'illegal base64 data at input byte 4', 'images'],
    [400, 'image generation models are not currently supported', 'model'],
    [400, 'raw mode does not support template, system, or context', 'raw'],
    [500, 'invalid format: "x"; expected "json" or a valid JSON Schema object', 'format'],
    [500, 'invalid JSON schema in format', 'format'],
    [400, 'think value "low" is not supported for this model', 'think'],
    [400, 'input length exceeds maximum context length', 'messages'],
    [400, 'top_logprobs must be between 0 and 20', 'top_logprobs'],
    [400, 'invalid input type', 'input'],
    [400, 'time: missing unit in duration "5"', 'keep_alive'],
    [500, 'option "temperature" must be of type float32', 'options.temperature'],
  ];
  for (const [status, text, param] of helpful) {
    it(`tells the client of ${JSON.stringify(text)} in our words`, () => {
      for (const body of [JSON.stringify({ error: text }), text, nested(text)]) {
        const error = rewordError(status, body);
        expect(error).to.include({ code: 'invalid_request', status: 400 });
        expect(error.details.param).to.equal(param);
      }
    });
  }

  it('names the values of think that requests may have', () => {
    const error = rewordError(400, 'invalid think value: "x"');
    expect(error.message).to.equal(
      '`think` must be true, false, "low", "medium", "high" or "max".',
    );
  });

  it('tells back only options that are known', () => {
    const error = rewordError(500, '{"error":"option \\"canary\\" must be of type integer"}');
    expect(error.code).to.equal('upstream_error');
  });

  it('says that a busy upstream is busy and when to come back', () => {
    const error = rewordError(503, '{"error":"server busy, please try again."}');
    expect(error).to.include({ code: 'upstream_unavailable', status: 503 });
    expect(error.details.retryAfterMs).to.equal(1_000);
  });

  it('says that a model has vanished, for the snapshot had it', () => {
    for (const text of [`model 'm' not found`, 'model "m" not found, try pulling it first']) {
      const error = rewordError(404, JSON.stringify({ error: text }));
      expect(error).to.include({ code: 'models_unavailable', status: 503 });
    }
    expect(rewordError(404, '404 page not found').code).to.equal('upstream_error');
  });

  it('takes a refusal that it cannot word for the request: nobody should ask the same again', () => {
    for (const status of [400, 413, 422]) {
      const error = rewordError(status, '{"error":"CANARY"}');
      expect(error).to.include({ code: 'invalid_request', status: 400 });
      expect(error.message).to.equal('The model server does not take this request.');
      expect(error.details.param).to.equal(undefined);
    }
  });

  for (const status of [204, 301, 307, 401, 403, 404, 418, 499, 500, 502, 504]) {
    it(`has one answer to a ${status} that says nothing of use`, () => {
      expect(rewordError(status, '')).to.include({ code: 'upstream_error', status: 502 });
    });
  }

  it('does not believe a redirect that quotes a known text', () => {
    expect(rewordError(307, 'does not support tools').code).to.equal('upstream_error');
  });

  function nested(text: string): string {
    return JSON.stringify({ error: JSON.stringify({ error: { code: 400, message: text } }) });
  }
});
