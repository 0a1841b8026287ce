import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { expect } from 'chai';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import type { FakeOllama } from '../../support/fake-ollama.ts';
import { openRelay } from '../../support/open-relay.ts';
import type { RelayTest } from '../../support/open-relay.ts';

const LARGE = 'x'.repeat(700_000);
const CHAT = { model: 'llama3:latest', messages: [{ role: 'user', content: LARGE }] };
const settings = { bodyThreadBytes: 1_048_576 };

describe('upstream: large bodies', () => {
  let fake: FakeOllama;
  let relay: RelayTest;
  const servers: Server[] = [];

  beforeEach(async () => {
    fake = await startFakeOllama();
  });

  afterEach(async () => {
    await relay.close();
    await fake.close();
    for (const server of servers.splice(0)) server.close();
  });

  async function post(): Promise<Response> {
    return fetch(`${relay.url}/api/chat`, { method: 'POST', body: JSON.stringify(CHAT) });
  }

  async function listen(server: Server): Promise<string> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('arrive whole, with their length, and their connection is kept', async () => {
    relay = await openRelay({ origins: [fake.url], settings });
    for (let round = 0; round < 2; round += 1) {
      expect(await (await post()).text()).to.contain('"done":true');
    }
    expect(fake.connections).to.equal(1);
    for (const seen of fake.inferences) {
      const { messages } = JSON.parse(seen.body) as typeof CHAT;
      expect(messages).to.deep.equal(CHAT.messages);
      const names = seen.rawHeaders.filter((_, index) => index % 2 === 0);
      expect(names.filter((name) => name === 'content-length')).to.have.length(1);
      expect(names).not.to.include('transfer-encoding');
    }
  });

  it('go to the next upstream where the first cannot be reached', async () => {
    const closed = createServer();
    const origin = await listen(closed);
    closed.close();
    relay = await openRelay({ origins: [origin, fake.url], settings });
    const response = await post();
    expect(response.status).to.equal(200);
    await response.text();
    expect(JSON.parse(fake.inferences[0]?.body ?? '')).to.have.property('messages');
  });

  it('that an upstream refuses before it has read them end in our words', async () => {
    const body = '{"error":"this model does not support thinking"}';
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => {
        const head = `HTTP/1.1 400 Bad Request\r\ncontent-length: ${body.length}\r\n\r\n`;
        socket.pause().write(head + body);
      });
    });
    relay = await openRelay({ origins: [await listen(server)], settings });
    const response = await post();
    expect(response.status).to.equal(400);
    expect(await response.json()).to.deep.equal({ error: 'This model does not support `think`.' });
  });

  it('that break on their way are a broken upstream', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.destroy());
    });
    relay = await openRelay({ origins: [await listen(server)], settings });
    const response = await post();
    expect(response.status).to.equal(502);
    await response.text();
    expect(relay.tallies[0]).to.include({ written: true, outcome: 'upstream_error' });
  });
});
