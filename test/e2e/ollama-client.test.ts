import { expect } from 'chai';
import { Ollama } from 'ollama';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const MESSAGES = [{ role: 'user', content: 'hello' }];

describe('e2e: the Ollama client from npm works unchanged', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;
  let client: Ollama;

  before(async () => {
    stack = await startStack();
    caller = await stack.makeCaller();
    client = new Ollama({
      host: stack.gateway.url,
      headers: { authorization: `Bearer ${caller.key}` },
    });
  });
  after(() => stack.stop());

  it('chats, streamed and not', async () => {
    stack.ollama.next({ tokens: 4, text: 'ab' }, { tokens: 4, text: 'ab' });
    const whole = await client.chat({ model: 'llama3', messages: MESSAGES });
    expect(whole.message.content).to.equal('abababab');
    let text = '';
    for await (const part of await client.chat({
      model: 'llama3',
      messages: MESSAGES,
      stream: true,
    })) {
      text += part.message.content;
    }
    expect(text).to.equal('abababab');
  });

  it('generates, embeds, lists, shows', async () => {
    expect((await client.generate({ model: 'llama3', prompt: 'hi' })).done).to.equal(true);
    const { embeddings } = await client.embed({ model: 'nomic-embed-text', input: ['a', 'b'] });
    expect(embeddings).to.have.length(2);
    expect((await client.list()).models).to.have.length(3);
    expect((await client.ps()).models).to.be.an('array');
    expect(await client.show({ model: 'llama3' })).to.have.property('details');
  });

  it('aborts, and the upstream is freed', async () => {
    stack.ollama.next({ tokens: 5_000, paceMs: 5 });
    const stream = await client.chat({ model: 'llama3', messages: MESSAGES, stream: true });
    const seen = stack.ollama.inferences.at(-1);
    let ended = false;
    try {
      for await (const part of stream) if (part.message.content !== '') stream.abort();
    } catch (error) {
      ended = error instanceof Error && error.name === 'AbortError';
    }
    expect(ended).to.equal(true);
    await seen?.closed;
    expect(seen?.completed).to.equal(false);
  });

  it('shows readable sentences for what is refused', async () => {
    const stranger = new Ollama({ host: stack.gateway.url });
    const errors = await Promise.all([
      stranger.list().catch(String),
      client.pull({ model: 'llama3' }).catch(String),
      client.chat({ model: 'no-such-model', messages: MESSAGES }).catch(String),
    ]);
    for (const error of errors) expect(error).to.match(/^ResponseError: [A-Z].*\w/);
  });
});
