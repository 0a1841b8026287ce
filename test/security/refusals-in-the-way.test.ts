import { expect } from 'chai';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { post, startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const MOST_WAITING = 100;
const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };
/** The statement by which the owner of a shard brings entries to Postgres. */
const STORE_ENTRIES = 'with entry as materialized';

/** A refusal costs its key nothing and no limit counts it, so there may be any number of them. */
describe('security: refusals without end of one tenant', function () {
  this.timeout(60_000);
  let stack: Stack;
  let postgres: FaultProxy;

  before(async () => {
    stack = await startStack({
      workers: 1,
      env: { NZGW_AUDIT_STREAM_MAX: String(MOST_WAITING) },
      through: async (urls) => {
        postgres = await startFaultProxy(urls.databaseUrl);
        return { ...urls, databaseUrl: postgres.url };
      },
    });
  });
  after(async () => {
    await stack.stop();
    await postgres.close();
  });

  async function askNowhere(key: string): Promise<void> {
    const response = await post(`${stack.gateway.url}/nowhere`, key, {});
    await response.text();
    expect(response.status).to.equal(404);
  }

  it('leave room for the admissions of others while Postgres takes no entries', async () => {
    const one = await stack.makeCaller();
    const other = await stack.makeCaller();
    const ask = (): Promise<Response> => post(`${stack.gateway.url}/api/chat`, other.key, CHAT);
    expect((await ask()).status).to.equal(200);
    const drain = postgres.hold({ command: STORE_ENTRIES, when: 'before' });
    try {
      for (let round = 0; round < 2 * MOST_WAITING; round += 20) {
        await Promise.all(Array.from({ length: 20 }, () => askNowhere(one.key)));
      }
      const served = await ask();
      expect(served.status, await served.text()).to.equal(200);
      await until(() => stack.gateway.events('refusals_dropped').length > 0, {
        withinMs: 2_000,
        what: 'it to be said that refusals are not kept',
      });
    } finally {
      (await drain).cut();
    }
    // Entries of the other's requests waited beside them.
    const rows = await stack.readAudit(one.keyId, MOST_WAITING / 2 - 5);
    expect(rows.length).to.be.at.most(MOST_WAITING / 2);
  });
});
