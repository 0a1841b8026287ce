import { expect } from 'chai';
import { makeKey } from '../../lib/auth/key-format.ts';
import { until } from '../support/until.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

describe('e2e: what is refused, and to whom', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack();
    caller = await stack.makeCaller();
  });
  after(() => stack.stop());

  /** A change is in force within a second of its commit, not with it. */
  function askUntil(status: number, key: string | undefined): Promise<Response> {
    return until(
      async () => {
        const response = await post(`${stack.gateway.url}/api/chat`, key, CHAT);
        return response.status === status && response;
      },
      { withinMs: 1_000, what: `${status}` },
    );
  }

  it('liveness and the probe of Ollama clients need no key', async () => {
    const root = await fetch(`${stack.gateway.url}/`);
    expect(await root.text()).to.equal('Ollama is running');
    const health = await fetch(`${stack.gateway.url}/healthz`);
    expect(await health.json()).to.deep.equal({ status: 'pass' });
    const head = await fetch(`${stack.gateway.url}/`, { method: 'HEAD' });
    expect(head.status).to.equal(200);
  });

  it('blocked and unknown routes are 401 without a key, 403 and 404 with one', async () => {
    const cases = [
      ['POST', '/api/pull', 403],
      ['DELETE', '/api/delete', 403],
      ['GET', '/api/create', 403],
      ['POST', '/api/blobs/sha256:abc', 403],
      ['GET', '/debug/pprof', 403],
      ['POST', '/api/chat/', 404],
      ['GET', '/API/TAGS', 404],
      ['GET', '/metrics', 404],
    ] as const;
    for (const [method, path, status] of cases) {
      const without = await fetch(`${stack.gateway.url}${path}`, { method });
      expect(without.status, `${method} ${path} without a key`).to.equal(401);
      const headers = { authorization: `Bearer ${caller.key}` };
      const response = await fetch(`${stack.gateway.url}${path}`, { method, headers });
      expect(response.status, `${method} ${path}`).to.equal(status);
      expect(await response.json())
        .to.have.property('error')
        .that.is.a('string');
    }
    expect(stack.ollama.inferences).to.have.length(0);
    const mutating = stack.ollama.requests.filter(({ method }) => method !== 'GET');
    expect(mutating.every(({ path }) => path === '/api/show')).to.equal(true);
  });

  it('every bad key gets the same 401, whatever is bad about it', async () => {
    const revoked = await stack.makeKey(caller.tenantId);
    await stack.database.query('insert into gateway.revocations (key_id) values ($1)', [
      revoked.keyId,
    ]);
    const expired = await stack.makeKey(caller.tenantId, { expiresAt: new Date(1) });
    const closed = await stack.makeCaller();
    await stack.database.query("update gateway.tenants set status = 'closed' where id = $1", [
      closed.tenantId,
    ]);
    const wrong = `${caller.key.slice(0, 16)}${makeKey().key.slice(16)}`;
    const keys = [undefined, 'x', wrong, makeKey().key, revoked.key, expired.key, closed.key];

    const bodies = new Set<string>();
    for (const key of keys) {
      const response = await askUntil(401, key);
      bodies.add(await response.text());
    }
    expect(bodies.size).to.equal(1);
  });

  it('a suspended tenant is told so, once its key was proved', async () => {
    const other = await stack.makeCaller();
    await stack.database.query("update gateway.tenants set status = 'suspended' where id = $1", [
      other.tenantId,
    ]);
    await (await askUntil(403, other.key)).text();
    const [row] = await stack.readAudit(other.keyId, 1);
    expect(row).to.include({ outcome: 'refused', refusal_code: 'tenant_suspended' });
  });

  it('a key is taken from Basic and x-api-key too, but two keys that differ are refused', async () => {
    const basic = Buffer.from(`anyone:${caller.key}`).toString('base64');
    for (const headers of [{ authorization: `Basic ${basic}` }, { 'x-api-key': caller.key }]) {
      const response = await fetch(`${stack.gateway.url}/api/tags`, { headers });
      expect(response.status).to.equal(200);
      await response.text();
    }
    const response = await fetch(`${stack.gateway.url}/api/tags`, {
      headers: { authorization: `Bearer ${caller.key}`, 'x-api-key': makeKey().key },
    });
    expect(response.status).to.equal(400);
  });

  it('a body that is no request is refused before anything is admitted', async () => {
    const bad = [
      ['{"model":"llama3"', 400],
      ['{"model":"llama3","messages":"hello"}', 400],
      ['{"model":"llama3","Messages":[],"messages":[]}', 400],
      ['[]', 400],
    ] as const;
    for (const [body, status] of bad) {
      const response = await post(`${stack.gateway.url}/api/chat`, caller.key, body);
      expect(response.status, body).to.equal(status);
      await response.text();
    }
  });
});
