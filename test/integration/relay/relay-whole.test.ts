import { expect } from 'chai';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import type { FakeOllama, Script } from '../../support/fake-ollama.ts';
import { openRelay, runHere } from '../../support/open-relay.ts';
import type { RelayTest, RelayTestOptions } from '../../support/open-relay.ts';
import { openRawClient } from '../../support/raw-client.ts';

const EMBED = { model: 'nomic-embed-text:latest', input: ['a', 'b'] };

describe('relay/relay-whole', () => {
  let fake: FakeOllama;
  let relay: RelayTest;

  beforeEach(async () => {
    fake = await startFakeOllama();
    relay = await openRelay({ origins: [fake.url] });
  });

  afterEach(async () => {
    await relay.close();
    await fake.close();
  });

  async function reopen(options: Partial<RelayTestOptions>): Promise<void> {
    await relay.close();
    relay = await openRelay({ origins: [fake.url], ...options });
  }

  async function post(
    script: Script,
    body: object = EMBED,
    path = '/api/embed',
  ): Promise<{ status: number; reply: Record<string, unknown>; headers: Headers }> {
    fake.next(script);
    const response = await fetch(relay.url + path, { method: 'POST', body: JSON.stringify(body) });
    const reply = (await response.json()) as Record<string, unknown>;
    return { status: response.status, reply, headers: response.headers };
  }

  it('sends the known fields of an embedding and keeps its count', async () => {
    const { status, reply, headers } = await post({});
    expect(status).to.equal(200);
    expect(reply).to.have.all.keys(
      'model',
      'embeddings',
      'total_duration',
      'load_duration',
      'prompt_eval_count',
    );
    expect(reply['embeddings']).to.have.length(2);
    expect(headers.has('x-nzgw-max-tokens')).to.equal(false);
    expect(relay.tallies[0]).to.include({ outcome: 'ok', outputLines: 0 });
    expect(relay.tallies[0]?.reported).to.deep.equal({ promptTokens: 14, completionTokens: null });
    expect(JSON.parse(fake.inferences[0]?.body ?? '')).not.to.have.any.keys('stream', 'options');
  });

  it('sends the old form as it is', async () => {
    const body = { model: 'nomic-embed-text:latest', prompt: 'a' };
    const { reply } = await post({ splitBytes: 5 }, body, '/api/embeddings');
    expect(reply).to.deep.equal({ embedding: [0.0625, 0.125, 0.1875, 0.25] });
    expect(relay.tallies[0]?.reported).to.deep.equal({
      promptTokens: null,
      completionTokens: null,
    });
  });

  it('rebuilds a large reply elsewhere', async () => {
    const large: string[] = [];
    await reopen({
      runTask: (task) => {
        large.push(task.type);
        return runHere(task);
      },
    });
    const { reply } = await post({ dimensions: 50_000 });
    expect(reply['embeddings']).to.have.length(2);
    await post({});
    expect(large).to.deep.equal(['embed-reply']);
  });

  const failures: Record<string, Script> = {
    'an error': { status: 200, body: '{"error":"CANARY"}' },
    'no embedding': { status: 200, body: '{"model":"m"}' },
    'one embedding for two texts': { status: 200, body: '{"model":"m","embeddings":[[1]]}' },
    garbage: { status: 200, body: '<html>CANARY' },
    'half a reply': { dropAfterLines: 1, stallAfterLines: 1 },
    'a reset': { resetAfterLines: 0 },
  };
  for (const [name, script] of Object.entries(failures)) {
    it(`answers 502 to ${name}`, async () => {
      const { status, reply } = await post(script);
      expect(status).to.equal(502);
      expect(JSON.stringify(reply)).not.to.contain('CANARY');
      expect(relay.tallies[0]?.outcome).to.equal('upstream_error');
    });
  }

  it('bounds the reply', async () => {
    await reopen({ relayLimits: { maxReplyBytes: 10_000 } });
    expect((await post({ dimensions: 50_000 })).status).to.equal(502);
  });

  it('ends the work upstream when its client leaves', async () => {
    fake.next({ stallAfterLines: 1 });
    const client = await openRawClient(relay.port);
    const body = JSON.stringify(EMBED);
    client.send(
      `POST /api/embed HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const seen = await fake.received(1);
    client.destroy();
    await seen.closed;
    expect(relay.tallies[0]?.outcome).to.equal('client_gone');
  });
});
