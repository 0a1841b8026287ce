import { expect } from 'chai';
import { post, readLines, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

describe('e2e: a chat streams through the gateway', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack({ workers: 2 });
    caller = await stack.makeCaller();
  });
  after(() => stack.stop());

  it('a native chat is passed on line by line and its counts become the audit row', async () => {
    stack.ollama.next({ tokens: 7, promptTokens: 21 });
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.equal('application/x-ndjson');
    expect(response.headers.get('request-id')).to.match(/^[0-9a-f-]{36}$/);
    expect(response.headers.get('x-nzgw-max-tokens')).to.equal('8192');
    const lines = await readLines(response);
    expect(lines).to.have.length(8);
    expect(lines.at(-1)).to.include({ done: true, eval_count: 7, prompt_eval_count: 21 });

    const [row] = await stack.readAudit(caller.keyId, 1);
    expect(row).to.include({
      id: response.headers.get('request-id'),
      dialect: 'native',
      endpoint: 'chat',
      status: 200,
      outcome: 'ok',
      prompt_tokens: 21,
      completion_tokens: 7,
      count_source: 'reported',
      streamed: true,
      client_address: '127.0.0.0/24',
    });
  });

  it('generate streams too, over as many workers as there are', async () => {
    const other = await stack.makeCaller();
    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const response = await post(`${stack.gateway.url}/api/generate`, other.key, {
          model: 'llama3:latest',
          prompt: `count to ${n}`,
        });
        return (await readLines(response)).at(-1);
      }),
    );
    for (const last of answers) expect(last).to.include({ done: true });
    const rows = await stack.readAudit(other.keyId, 12);
    expect(rows).to.have.length(12);
    expect(new Set(rows.map((row) => row['id'])).size).to.equal(12);
    const told = answers.reduce((sum, last) => sum + Number(last?.['eval_count']), 0);
    const kept = rows.reduce((sum, row) => sum + Number(row['completion_tokens']), 0);
    expect(kept).to.equal(told);
  });

  it('nothing of the client reaches the upstream but what was read and written anew', async () => {
    await stack.ollama.inferences.at(-1)?.closed;
    const seen = stack.ollama.inferences.length;
    const response = await post(
      `${stack.gateway.url}/api/chat?evil=1`,
      caller.key,
      { ...CHAT, stream: false, keep_alive: -1, secret_field: 1, options: { num_gpu: 1, seed: 5 } },
      {
        headers: {
          authorization: `Bearer ${caller.key}`,
          'x-evil': 'header',
          cookie: 'a=b',
          'x-request-id': 'client-chosen-id',
        },
      },
    );
    expect(response.status).to.equal(200);
    expect(response.headers.get('x-request-id')).to.equal('client-chosen-id');
    await response.text();

    const request = stack.ollama.inferences[seen];
    expect(request?.path).to.equal('/api/chat');
    const names = request?.rawHeaders
      .filter((_, n) => n % 2 === 0)
      .map((name) => name.toLowerCase());
    expect(names?.sort()).to.deep.equal([
      'accept',
      'connection',
      'content-length',
      'content-type',
      'host',
      'x-request-id',
    ]);
    expect(JSON.parse(request?.body ?? '')).to.deep.equal({
      model: 'llama3:latest',
      stream: true,
      messages: CHAT.messages,
      options: { seed: 5, num_predict: 8_192 },
    });
  });

  it('a client that asked for no stream gets one object with everything in it', async () => {
    stack.ollama.next({ tokens: 3, text: 'ab', thinking: 2 });
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, {
      ...CHAT,
      stream: false,
    });
    expect(response.headers.get('content-type')).to.match(/^application\/json/);
    const reply = (await response.json()) as { message: { content: string }; done: boolean };
    expect(reply.message.content).to.equal('ababab');
    expect(reply.done).to.equal(true);
  });

  it('embeddings come through whole', async () => {
    const response = await post(`${stack.gateway.url}/api/embed`, caller.key, {
      model: 'nomic-embed-text',
      input: ['one', 'two'],
    });
    expect(response.status).to.equal(200);
    const reply = (await response.json()) as { embeddings: number[][] };
    expect(reply.embeddings).to.have.length(2);
  });

  it("Ollama's load command is answered without the upstream and free of charge", async () => {
    const seen = stack.ollama.inferences.length;
    const response = await post(`${stack.gateway.url}/api/generate`, caller.key, {
      model: 'llama3',
    });
    expect(response.status).to.equal(200);
    expect(response.headers.get('x-nzgw-max-tokens')).to.equal('8192');
    expect(await response.json()).to.include({ done: true, done_reason: 'load', response: '' });
    expect(stack.ollama.inferences.length).to.equal(seen);
  });
});
