import { expect } from 'chai';
import { answerIdle } from '../../../lib/gateway/answer-idle.ts';
import type { Call } from '../../../lib/http/call.ts';
import { openFront } from '../../support/open-front.ts';
import { sampleCall, SAMPLE_GRANT } from '../../support/sample-request.ts';

const clock = { wallMs: () => 1_764_000_000_123, monotonicMs: () => 0 };
const CREATED = { model: 'llama3:latest', created_at: '2025-11-24T16:00:00.123Z' };

/** What a client gets for a call with an empty prompt. */
async function ask(call: Partial<Call>): Promise<unknown> {
  const front = await openFront({
    onExchange: (exchange) => {
      answerIdle(exchange, sampleCall({ idle: 'load', ...call }), SAMPLE_GRANT, clock);
      return Promise.resolve();
    },
  });
  const response = await fetch(`http://127.0.0.1:${front.port}/api/chat`);
  const body: unknown = await response.json();
  await front.close();
  expect(response.status).to.equal(200);
  expect(response.headers.get('content-type')).to.equal('application/json');
  return body;
}

describe('gateway/answer-idle', () => {
  it('a chat without messages is answered as a loaded model answers', async () => {
    expect(await ask({ route: 'chat' })).to.deep.equal({
      ...CREATED,
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: 'load',
    });
  });

  it('a generation without a prompt is answered in its own shape, unloading too', async () => {
    expect(await ask({ route: 'generate', idle: 'unload' })).to.deep.equal({
      ...CREATED,
      response: '',
      done: true,
      done_reason: 'unload',
    });
  });

  it('nothing to embed gives no vectors, in the shape of each route', async () => {
    expect(await ask({ route: 'embed' })).to.deep.equal({ model: 'llama3:latest', embeddings: [] });
    expect(await ask({ route: 'embeddings' })).to.deep.equal({ embedding: [] });
  });
});
