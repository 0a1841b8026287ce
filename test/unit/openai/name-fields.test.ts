import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { nameFields } from '../../../lib/openai/name-fields.ts';
import { toFinishReason } from '../../../lib/openai/replies/finish-reason.ts';
import { rewordError } from '../../../lib/upstream/reword-error.ts';

describe('openai/name-fields', () => {
  function name(text: string, route: 'chat' | 'generate' | 'embed' = 'chat'): [unknown, string] {
    const { details, message } = nameFields(
      rewordError(400, JSON.stringify({ error: text })),
      route,
    );
    return [details.param, message];
  }

  it('calls what the model server refused as its client called it', () => {
    expect(name('"m" does not support thinking')).to.deep.equal([
      'reasoning_effort',
      'This model does not support `reasoning_effort`.',
    ]);
    const long = 'the prompt is longer than the context length currently available';
    expect(name(long)[0]).to.equal('messages');
    expect(name(long, 'generate')[0]).to.equal('prompt');
    expect(name(long, 'embed')[0]).to.equal('input');
    expect(name('option "temperature" must be of type float32')).to.deep.equal([
      'temperature',
      'The option `temperature` has a wrong type.',
    ]);
    expect(name('"m" does not support insert', 'generate')[0]).to.equal('suffix');
  });

  it('gives no advice that is good for native clients alone', () => {
    for (const text of [
      'invalid think value: "max"',
      'invalid format: "x"; expected "json" or a valid JSON Schema object',
      'illegal base64 data at input byte 4',
    ]) {
      const [param, message] = name(text);
      expect(message).to.not.match(/true, false|"json"|plain base64|`think`|`format`/);
      expect(param).to.be.oneOf(['reasoning_effort', 'response_format', 'messages']);
    }
  });

  it('names no field that its client does not have', () => {
    expect(name('raw mode does not support template, system, or context')[0]).to.equal(undefined);
    expect(name('option "top_k" must be of type integer')[0]).to.equal(undefined);
    expect(name('image input is not supported', 'generate')[0]).to.equal(undefined);
    const plain = new GatewayError('upstream_error', 'text');
    expect(nameFields(plain, 'chat')).to.equal(plain);
  });

  it('no word of the upstream is a finish reason but those that are known', () => {
    expect(toFinishReason('length', true)).to.equal('length');
    expect(toFinishReason('stop', true)).to.equal('tool_calls');
    expect(toFinishReason('secret of theirs', false)).to.equal('stop');
    expect(toFinishReason('secret of theirs', true)).to.equal('tool_calls');
    expect(toFinishReason(null, false)).to.equal('stop');
  });
});
