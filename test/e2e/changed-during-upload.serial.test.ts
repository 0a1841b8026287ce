import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import { openRawClient } from '../support/raw-client.ts';
import type { RawClient } from '../support/raw-client.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const MODEL = 'llama3';

/** SPEC §10. */
const IN_FORCE_MS = 1_000;

interface Change {
  readonly what: string;
  readonly sql: (caller: MadeKey) => string;
  readonly status: number;
  /** Of the body; native errors carry no code. */
  readonly text: string;
}

const CHANGES: readonly Change[] = [
  {
    what: 'the key is revoked',
    sql: ({ keyId }) => `insert into gateway.revocations (key_id) values ('${keyId}')`,
    status: 401,
    text: 'API key',
  },
  {
    what: 'the key expires',
    sql: ({ keyId }) => `update gateway.api_keys set expires_at = now() where id = '${keyId}'`,
    status: 401,
    text: 'API key',
  },
  {
    what: 'the tenant is closed',
    sql: ({ tenantId }) => `update gateway.tenants set status = 'closed' where id = '${tenantId}'`,
    status: 401,
    text: 'API key',
  },
  {
    what: 'the tenant is suspended',
    sql: ({ tenantId }) =>
      `update gateway.tenants set status = 'suspended' where id = '${tenantId}'`,
    status: 403,
    text: 'suspended',
  },
  {
    what: 'the models are taken away',
    sql: ({ tenantId }) =>
      `update gateway.tenants set allow_all_models = false where id = '${tenantId}'`,
    status: 403,
    text: 'model',
  },
];

const ROUTES = [
  { path: '/api/generate', body: JSON.stringify({ model: MODEL, prompt: 'hi', stream: false }) },
  { path: '/api/show', body: JSON.stringify({ model: MODEL }) },
] as const;

/** A client decides how long its body takes; what was true before it is not true for that reason. */
describe('e2e: what changes while a body is on its way counts', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({ workers: 1 });
  });
  after(() => stack.stop());

  /** Sends the head and a part of the body; the key is known by the time this resolves. */
  async function begin(caller: MadeKey, path: string, body: string): Promise<RawClient> {
    const client = await openRawClient(Number(new URL(stack.gateway.url).port));
    const head = [
      `POST ${path} HTTP/1.1`,
      'Host: gateway',
      'Connection: close',
      'Expect: 100-continue',
      `Authorization: Bearer ${caller.key}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    client.send([...head, '', ''].join('\r\n'));
    return client;
  }

  for (const { path, body } of ROUTES) {
    for (const { what, sql, status, text } of CHANGES) {
      it(`${path}: ${what}, and the answer is ${status}`, async () => {
        const caller = await stack.makeCaller();
        const client = await begin(caller, path, body);
        await client.untilText('100 Continue');
        client.send(body.slice(0, 10));

        await stack.database.query(sql(caller));
        const committedAtMs = systemClock.monotonicMs();
        await until(() => systemClock.monotonicMs() - committedAtMs >= IN_FORCE_MS, {
          withinMs: 2 * IN_FORCE_MS,
          what: 'the time in which a change has to be in force',
        });
        client.send(body.slice(10));
        await client.untilClosed();

        expect(client.text).to.include(`HTTP/1.1 ${status} `).and.include(text);
      });
    }

    it(`${path}: nothing changes, and the answer is 200`, async () => {
      const client = await begin(await stack.makeCaller(), path, body);
      await client.untilText('100 Continue');
      client.send(body);
      await client.untilClosed();
      expect(client.text).to.include('HTTP/1.1 200 ');
    });
  }
});
