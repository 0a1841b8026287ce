import { expect } from 'chai';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startDemoServer } from '../../../bin/quickstart/demo-server.ts';

type Json = Readonly<Record<string, unknown>>;

describe('quickstart/demo-server', () => {
  let server: Server;
  let url: string;

  before(async () => {
    server = await startDemoServer({ host: '127.0.0.1', port: 0, tokenMs: 1 });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function post(path: string, body: Json): Promise<readonly Json[]> {
    const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
    const lines = (await response.text()).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Json);
  }

  it('says in names and replies that it is no language model', async () => {
    const response = await fetch(`${url}/api/tags`);
    const { models } = (await response.json()) as { models: { name: string }[] };
    expect(models.every(({ name }) => name.startsWith('demo-'))).to.equal(true);
    expect(response.headers.get('x-demo-model')).to.contain('not a language model');
    const [reply] = await post('/api/generate', {
      model: 'demo-echo',
      prompt: 'hi',
      stream: false,
    });
    expect(reply?.['response']).to.equal(
      'I am the demo model of neuronetz-gateway, not a language model. I heard: hi',
    );
  });

  it('streams a line a token, and counts what it streamed', async () => {
    const messages = [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'hello there' },
    ];
    const lines = await post('/api/chat', { model: 'demo-echo:latest', messages });
    const last = lines.at(-1);
    expect(last).to.include({ done: true, done_reason: 'stop', prompt_eval_count: 4 });
    expect(last?.['eval_count']).to.equal(lines.length - 1);
  });

  it('stops at num_predict, as Ollama does', async () => {
    const options = { num_predict: 3 };
    const lines = await post('/api/generate', { model: 'demo-echo', prompt: 'hi', options });
    expect(lines).to.have.length(4);
    expect(lines.at(-1)).to.include({ done_reason: 'length', eval_count: 3 });
  });

  it('embeds each input as a vector of length 1 that depends on the text alone', async () => {
    const [reply] = await post('/api/embed', { model: 'demo-embed', input: ['a b', 'c', 'a b'] });
    const [first, second, third] = reply?.['embeddings'] as number[][];
    expect(first).to.deep.equal(third).and.not.deep.equal(second);
    expect(Math.hypot(...(first ?? []))).to.be.closeTo(1, 1e-9);
    expect(reply?.['prompt_eval_count']).to.equal(5);
  });

  it('answers 404 for models and paths that it does not know, 400 for what is no JSON', async () => {
    const unknown = await fetch(`${url}/api/show`, { method: 'POST', body: '{"model":"llama3"}' });
    expect(unknown.status).to.equal(404);
    const pull = await fetch(`${url}/api/pull`, { method: 'POST', body: '{}' });
    expect(pull.status).to.equal(404);
    const broken = await fetch(`${url}/api/chat`, { method: 'POST', body: '{' });
    expect(broken.status).to.equal(400);
  });
});
