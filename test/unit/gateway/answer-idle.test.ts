import { expect } from 'chai';
import { answerIdle } from '../../../lib/gateway/answer-idle.ts';
import type { Call } from '../../../lib/http/call.ts';
import { openFront } from '../../support/open-front.ts';
import { sampleCall, SAMPLE_GRANT } from '../../support/sample-request.ts';

const NOW_MS = 1_764_000_000_123;
const CREATED = { model: 'llama3:latest', created_at: '2025-11-24T16:00:00.123Z' };

/** What a client gets for a call with an empty prompt. */
async function ask(call: Partial<Call>, numPredict: number | null = null): Promise<unknown> {
  const { body } = await answer(call, numPredict);
  return body;
}

async function answer(
  call: Partial<Call>,
  numPredict: number | null,
): Promise<{ readonly body: unknown; readonly maxTokens: string | null }> {
  const front = await openFront({
    onExchange: (exchange) => {
      answerIdle(exchange, sampleCall({ idle: 'load', ...call }), SAMPLE_GRANT, {
        nowMs: NOW_MS,
        numPredict,
      });
      return Promise.resolve();
    },
  });
  const response = await fetch(`http://127.0.0.1:${front.port}/api/chat`);
  const body: unknown = await response.json();
  await front.close();
  expect(response.status).to.equal(200);
  expect(response.headers.get('content-type')).to.equal('application/json');
  return { body, maxTokens: response.headers.get('x-nzgw-max-tokens') };
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

  it('tells what output is granted, as every reply of chat and generate does', async () => {
    for (const route of ['chat', 'generate'] as const) {
      expect((await answer({ route }, 512)).maxTokens).to.equal('512');
    }
    expect((await answer({ route: 'embed' }, null)).maxTokens).to.equal(null);
  });

  it('nothing to embed gives no vectors, in the shape of each route', async () => {
    expect(await ask({ route: 'embed' })).to.deep.equal({ model: 'llama3:latest', embeddings: [] });
    expect(await ask({ route: 'embeddings' })).to.deep.equal({ embedding: [] });
  });
});
