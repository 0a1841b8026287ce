import { expect } from 'chai';
import { startFakeOllama } from '../support/fake-ollama.ts';
import type { FakeOllama } from '../support/fake-ollama.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { openWorkerClients } from '../support/worker-client.ts';

interface Readiness {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly status: string; readonly ms: number }>>;
}

const FLIP_MS = 2_000;
const HELD_AGAIN_MS = 20_000;

describe('e2e: the admin listener', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;
  let again: FakeOllama | undefined;

  before(async () => {
    stack = await startStack();
    caller = await stack.makeCaller();
  });
  after(async () => {
    await stack.stop();
    await again?.close();
  });

  async function readAdmin(): Promise<{ status: number; body: Readiness }> {
    const response = await fetch(`${stack.gateway.adminUrl}/readyz`);
    return { status: response.status, body: (await response.json()) as Readiness };
  }

  /** Both listeners say so within 2 s, and the admin listener names the check. */
  async function untilFailing(check: string): Promise<void> {
    const { body } = await until(
      async () => {
        const answer = await readAdmin();
        return answer.status === 503 && answer;
      },
      { withinMs: FLIP_MS, what: `/readyz to fail for ${check}` },
    );
    expect(body.status).to.equal('fail');
    const failing = Object.entries(body.checks).filter(([, { status }]) => status === 'fail');
    expect(failing.map(([name]) => name)).to.deep.equal([check]);
    await untilPublic(503);
  }

  async function untilPassing(withinMs = FLIP_MS): Promise<void> {
    await until(async () => (await readAdmin()).status === 200, {
      withinMs,
      what: '/readyz to pass',
    });
    await untilPublic(200);
  }

  async function untilPublic(status: number): Promise<void> {
    await until(async () => (await fetch(`${stack.gateway.url}/readyz`)).status === status, {
      withinMs: 500,
      what: `${status} of the public /readyz`,
    });
  }

  it('answers that it lives, and says of each dependency whether it is there and how fast', async () => {
    const health = await fetch(`${stack.gateway.adminUrl}/healthz`);
    expect(health.status).to.equal(200);
    expect(health.headers.get('content-type')).to.equal('application/json');
    expect(await health.json()).to.deep.equal({ status: 'pass' });

    const { status, body } = await readAdmin();
    expect(status).to.equal(200);
    expect(body.status).to.equal('pass');
    expect(body.checks).to.have.all.keys(
      'trust',
      'redis',
      'models',
      'postgres',
      'upstream',
      'workers',
    );
    for (const check of Object.values(body.checks)) {
      expect(check.status).to.equal('pass');
      expect(check.ms).to.be.a('number').that.is.within(0, 1_000);
    }
  });

  it('knows nothing else, by no other method, and the public listener knows none of it', async () => {
    const { adminUrl, url } = stack.gateway;
    for (const path of ['/', '/metrics/', '/healthz?a=b', '/api/tags', '/debug/pprof']) {
      const response = await fetch(`${adminUrl}${path}`);
      expect(response.status, path).to.equal(404);
      await response.text();
    }
    const posted = await fetch(`${adminUrl}/metrics`, { method: 'POST', body: 'x' });
    expect(posted.status).to.equal(404);

    const stranger = await fetch(`${url}/metrics`);
    expect(stranger.status).to.equal(401);
    expect(await stranger.text()).to.not.include('gateway_');
    const known = await fetch(`${url}/metrics`, {
      headers: { authorization: `Bearer ${caller.key}` },
    });
    expect(known.status).to.equal(404);
    expect(await known.text()).to.not.include('gateway_requests_total');
    const ready = await fetch(`${url}/readyz`);
    expect(await ready.json()).to.deep.equal({ status: 'pass' });
  });

  it('adds up what the workers counted', async () => {
    const clients = await openWorkerClients(stack.gateway, caller.key);
    expect(clients).to.have.length(2);
    expect(await readCount()).to.equal(0);
    for (const client of clients) {
      for (let n = 0; n < 5; n += 1) await (await client.chat()).ended;
      client.close();
    }
    await until(async () => (await readCount()) === 10, {
      withinMs: 4_000,
      what: 'ten requests to be counted',
    });
  });

  /** Served chats of the tenant; 0 also before the workers have told anything. */
  async function readCount(): Promise<number> {
    const response = await fetch(`${stack.gateway.adminUrl}/metrics`);
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const labels = '{tenant="tenant-1",model="llama3:latest",status="200"}';
    const line = text.split('\n').find((one) => one.startsWith(`gateway_requests_total${labels}`));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  it('is not ready without the upstream, and ready again with it', async () => {
    const port = Number(new URL(stack.ollama.url).port);
    await stack.ollama.close();
    await untilFailing('upstream');
    again = await startFakeOllama({ port });
    await untilPassing();
  });

  it('is not ready without Redis, and ready again with it', async () => {
    stack.redis.signal('SIGSTOP');
    try {
      await untilFailing('redis');
    } finally {
      stack.redis.signal('SIGCONT');
    }
    await untilPassing();
    stack.redis.signal('SIGKILL');
    await untilFailing('redis');
    await stack.redis.restart();
    // What had been admitted may have been lost: first it is held again.
    await untilPassing(HELD_AGAIN_MS);
  });

  it('survives what is no HTTP', async () => {
    const garbage = await fetch(`${stack.gateway.adminUrl}/healthz`, {
      headers: { 'x-large': 'x'.repeat(60_000) },
    }).catch(() => undefined);
    expect(garbage?.status).to.not.equal(200);
    expect((await fetch(`${stack.gateway.adminUrl}/healthz`)).status).to.equal(200);
  });
});
