import { expect } from 'chai';
import { toErrorBody } from '../../../lib/errors/error-body.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { REFUSALS } from '../../../lib/errors/refusals.ts';
import type { RefusalCode } from '../../../lib/errors/refusals.ts';

describe('errors/error-body', () => {
  it("Ollama's clients print `error` as it is, so it must be a text", () => {
    const body = toErrorBody(new GatewayError('not_found', 'no such route'), 'native');
    expect(JSON.parse(body)).to.deep.equal({ error: 'no such route' });
  });

  it('OpenAI clients read message, type, param and code', () => {
    const error = new GatewayError('invalid_request', 'wrong', { param: 'messages' });
    expect(JSON.parse(toErrorBody(error, 'openai'))).to.deep.equal({
      error: {
        message: 'wrong',
        type: 'invalid_request_error',
        param: 'messages',
        code: 'invalid_request',
      },
    });
    const unavailable = toErrorBody(new GatewayError('overloaded', 'later'), 'openai');
    expect(JSON.parse(unavailable)).to.deep.equal({
      error: { message: 'later', type: 'api_error', param: null, code: 'overloaded' },
    });
  });

  it('every code has a status that a client may be told', () => {
    for (const code of Object.keys(REFUSALS) as RefusalCode[]) {
      expect(new GatewayError(code, 'x').status).to.be.within(400, 599);
      expect(new GatewayError(code, 'x').status, '409 means "retry" to SDKs').to.not.equal(409);
    }
  });
});
