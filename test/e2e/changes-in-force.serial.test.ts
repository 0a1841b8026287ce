import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { rounds } from '../support/rounds.ts';
import { until } from '../support/until.ts';

const PROMPT = { model: 'llama3', prompt: 'hi', stream: false };

/** Enough connections that every worker is asked. */
const PROBES = 8;

describe('e2e: what an operator changes is in force within a second, on all workers', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({ workers: 2 });
  });
  after(() => stack.stop());

  async function askAll(caller: MadeKey): Promise<readonly number[]> {
    return Promise.all(
      Array.from({ length: PROBES }, async () => {
        const response = await post(`${stack.gateway.url}/api/generate`, caller.key, PROMPT, {
          headers: { authorization: `Bearer ${caller.key}`, connection: 'close' },
        });
        await response.text();
        return response.status;
      }),
    );
  }

  /** Milliseconds from the commit until every probe says `status`; no other than the two is seen. */
  async function measure(caller: MadeKey, status: number, sql: string): Promise<number> {
    expect(new Set(await askAll(caller))).to.deep.equal(new Set([200]));
    await stack.database.query(sql);
    const committedAtMs = systemClock.monotonicMs();
    await until(
      async () => {
        const seen = await askAll(caller);
        expect([...seen, 200, status]).to.have.members([
          ...seen.filter((s) => s === 200 || s === status),
          200,
          status,
        ]);
        return seen.every((one) => one === status);
      },
      { withinMs: 2_000, what: `every worker to say ${status}` },
    );
    return systemClock.monotonicMs() - committedAtMs;
  }

  for (const { index } of rounds({ ci: 3, full: 50 })) {
    it(`a key revoked by plain SQL is refused (round ${index})`, async () => {
      const caller = await stack.makeCaller();
      const sql = `insert into gateway.revocations (key_id, reason) values ('${caller.keyId}', 'test')`;
      expect(await measure(caller, 401, sql)).to.be.below(1_000);
    });
  }

  it('a tenant suspended, a model taken away, a key that expires: the same', async () => {
    const suspended = await stack.makeCaller();
    expect(
      await measure(
        suspended,
        403,
        `update gateway.tenants set status = 'suspended' where id = '${suspended.tenantId}'`,
      ),
    ).to.be.below(1_000);
    const narrowed = await stack.makeCaller();
    expect(
      await measure(
        narrowed,
        403,
        `update gateway.api_keys set allowed_models = '{qwen3:8b}' where id = '${narrowed.keyId}'`,
      ),
    ).to.be.below(1_000);
    const expired = await stack.makeCaller();
    expect(
      await measure(
        expired,
        401,
        `update gateway.api_keys set expires_at = now() where id = '${expired.keyId}'`,
      ),
    ).to.be.below(1_000);
  });

  it("a tenant's revocation takes every one of its keys", async () => {
    const tenant = await stack.makeTenant();
    const [one, two] = [await stack.makeKey(tenant), await stack.makeKey(tenant)];
    expect(new Set(await askAll(two))).to.deep.equal(new Set([200]));
    const sql = `insert into gateway.revocations (tenant_id) values ('${tenant}')`;
    expect(await measure(one, 401, sql)).to.be.below(1_000);
    expect(new Set(await askAll(two))).to.deep.equal(new Set([401]));
  });

  it('a key is usable the moment it was made, and a limit of output counts at once', async () => {
    const tenant = await stack.makeTenant();
    const caller = await stack.makeKey(tenant);
    expect(new Set(await askAll(caller))).to.deep.equal(new Set([200]));
    await stack.database.query(
      'update gateway.key_limits set max_output_tokens = 5 where key_id = $1',
      [caller.keyId],
    );
    await until(
      async () => {
        const response = await post(`${stack.gateway.url}/api/generate`, caller.key, PROMPT);
        await response.text();
        return response.headers.get('x-nzgw-max-tokens') === '5';
      },
      { withinMs: 1_000, what: 'the new limit' },
    );
  });
});
