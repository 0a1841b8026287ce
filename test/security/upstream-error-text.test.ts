import { expect } from 'chai';
import { startFakeOllama } from '../support/fake-ollama.ts';
import type { FakeOllama, Script } from '../support/fake-ollama.ts';
import { openRelay } from '../support/open-relay.ts';
import type { RelayTest } from '../support/open-relay.ts';

const CHAT = JSON.stringify({
  model: 'llama3:latest',
  messages: [{ role: 'user', content: 'hi' }],
});
const CANARY = 'CANARY-/var/lib/ollama/blobs/sha256-1';

/** An upstream's words carry paths, names and other people's prompts: none of them gets out. */
describe('security: text of an upstream', () => {
  let fake: FakeOllama;
  let relay: RelayTest;

  before(async () => {
    fake = await startFakeOllama();
    relay = await openRelay({ origins: [fake.url] });
  });

  after(async () => {
    await relay.close();
    await fake.close();
  });

  const told: Record<string, readonly [Script, number]> = {
    'a 500': [{ status: 500, body: CANARY }, 502],
    'a 400 that nobody knows': [{ status: 400, body: `{"error":"${CANARY}"}` }, 400],
    'a 400 that is known': [
      { status: 400, body: `{"error":"\\"${CANARY}\\" does not support thinking"}` },
      400,
    ],
    'a 404': [{ status: 404, body: `{"error":"model '${CANARY}' not found"}` }, 503],
    'a 401 with a link': [{ status: 401, body: `{"signin_url":"https://${CANARY}"}` }, 502],
    'a 503': [{ status: 503, body: CANARY }, 503],
    'an empty 500': [{ status: 500 }, 502],
    'an endless error': [{ status: 500, body: CANARY.repeat(100_000) }, 502],
    'a redirect': [{ status: 307, headers: { location: `/${CANARY}` } }, 502],
    'a 204': [{ status: 204 }, 502],
    'an error line': [{ errorAfterLines: 0, errorText: CANARY }, 502],
    'an error line in the middle': [{ errorAfterLines: 1, errorText: CANARY }, 200],
    'a garbage line': [{ garbageAfterLines: 0, garbage: CANARY }, 502],
    'a garbage line in the middle': [{ garbageAfterLines: 1, garbage: CANARY }, 200],
    'a header': [{ headers: { 'x-canary': CANARY, 'set-cookie': [CANARY] } }, 200],
    'a large header': [{ headers: { 'x-canary': CANARY.repeat(1_000) } }, 502],
  };
  for (const [name, [script, status]] of Object.entries(told)) {
    it(`keeps ${name} to itself`, async () => {
      fake.next(script);
      const response = await fetch(`${relay.url}/api/chat`, { method: 'POST', body: CHAT });
      expect(response.status).to.equal(status);
      const seen = JSON.stringify([...response.headers]) + (await response.text());
      expect(seen).not.to.contain('CANARY');
      for (const refusal of relay.refusals) expect(refusal.message).not.to.contain('CANARY');
    });
  }

  it('follows no redirect', async () => {
    const before = fake.requests.length;
    fake.next({ status: 307, headers: { location: `${fake.url}/api/tags` } });
    await fetch(`${relay.url}/api/chat`, { method: 'POST', body: CHAT });
    expect(fake.requests.length - before).to.equal(1);
  });
});
