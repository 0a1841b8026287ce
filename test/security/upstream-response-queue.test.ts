import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { expect } from 'chai';
import { startFakeOllama } from '../support/fake-ollama.ts';
import type { FakeOllama } from '../support/fake-ollama.ts';
import { openRelay } from '../support/open-relay.ts';
import type { RelayTest } from '../support/open-relay.ts';

const CHAT = JSON.stringify({
  model: 'llama3:latest',
  messages: [{ role: 'user', content: 'hi' }],
});
const POISON =
  'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 34\r\n\r\n' +
  '{"model":"POISON","done":true}    ';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{"model":"first","done":true}\n';

/** An upstream that sends two responses to one request must not reach another tenant with one. */
describe('security: response queue of an upstream', () => {
  let relay: RelayTest;

  afterEach(() => relay.close());

  async function post(tenant: string): Promise<string> {
    const headers = { 'x-tenant': tenant };
    const response = await fetch(`${relay.url}/api/chat`, { method: 'POST', body: CHAT, headers });
    return response.text();
  }

  it('drops a connection on which more came than the response', async () => {
    const fake: FakeOllama = await startFakeOllama();
    relay = await openRelay({ origins: [fake.url] });
    try {
      fake.next({ extraResponse: POISON });
      expect(await post('a')).not.to.contain('POISON');
      for (const tenant of ['b', 'a', 'b', 'a']) {
        expect(await post(tenant))
          .to.contain('"done":true')
          .and.not.to.contain('POISON');
      }
    } finally {
      await fake.close();
    }
  });

  it('gives a late second response to nobody else, not even to who waits then', async () => {
    const { server, origin } = await openPoisoner();
    relay = await openRelay({ origins: [origin] });
    try {
      expect(await post('a')).to.contain('first');
      expect(await post('b'))
        .to.contain('first')
        .and.not.to.contain('POISON');
    } finally {
      server.close();
    }
  });

  /** At the second request, answers the first one again before it answers the second. */
  async function openPoisoner(): Promise<{ server: Server; origin: string }> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', () => {
        const [first] = sockets;
        sockets.push(socket);
        first?.write(POISON, () => {
          setImmediate(() => socket.write(ANSWER));
        });
        if (!first) socket.write(ANSWER);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }
});
