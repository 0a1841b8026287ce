import { expect } from 'chai';
import { makeKey } from '../../lib/auth/key-format.ts';
import { post, startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';

const BURST = 10;
const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

/** Who is nobody's proxy, and says with each request that it is somebody else. */
describe('security: addresses that a client makes up', function () {
  this.timeout(30_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({
      workers: 1,
      env: {
        NZGW_TRUSTED_PROXIES: 'none',
        NZGW_AUDIT_ADDRESS: 'full',
        NZGW_AUTH_FAILURES_BURST: String(BURST),
        NZGW_AUTH_FAILURES_PER_MINUTE: '1',
      },
    });
  });
  after(() => stack.stop());

  function ask(key: string, address: string): Promise<Response> {
    return post(`${stack.gateway.url}/api/chat`, key, CHAT, {
      headers: {
        authorization: `Bearer ${key}`,
        'x-forwarded-for': address,
        forwarded: `for=${address}`,
        'x-real-ip': address,
        'cf-connecting-ip': address,
        'true-client-ip': address,
      },
    });
  }

  it('are kept nowhere: the audit has the address of the connection', async () => {
    const caller = await stack.makeCaller();
    const served = await ask(caller.key, '192.0.2.77');
    await served.text();
    expect(served.status).to.equal(200);
    const [row] = await stack.readAudit(caller.keyId, 1);
    expect(row?.['client_address']).to.equal('127.0.0.1');
    expect(stack.gateway.output()).to.not.include('192.0.2.77');
  });

  it('buy no further guesses at keys', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 2 * BURST; count += 1) {
      const refused = await ask(makeKey().key, `192.0.2.${count + 1}`);
      await refused.text();
      statuses.push(refused.status);
    }
    expect(statuses.at(0)).to.equal(401);
    expect(statuses.slice(-BURST / 2)).to.deep.equal(Array(BURST / 2).fill(429));
  });
});
