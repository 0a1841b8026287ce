import { expect } from 'chai';
import { hashKey } from '../../lib/auth/hash-key.ts';
import { makeKey, readPublicId } from '../../lib/auth/key-format.ts';
import { makeSecretTag } from '../../lib/auth/secret-tag.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { PEPPER } from '../support/launch-gateway.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { askAdmission, PROBE_MODEL } from '../support/revoking.ts';
import { rounds } from '../support/rounds.ts';
import { noteSecret } from '../support/secret-grep.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** A verification takes so long that there is time to revoke in the middle of it. */
const DEAR_COST = { memoryKib: 262_144, passes: 5, lanes: 1 };
const WARM = 1_000;
const AT_ONCE = 16;
const LIMIT = 5;
const PROOFS = /^gateway_auth_results_total\{result="(proved_by_\w+)"\} (\d+)$/gm;

describe('e2e: a key is revoked while its secret is verified', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack();
  });
  after(() => stack.stop());

  for (const { index, random } of rounds({ ci: 2, full: 50 })) {
    it(`it is refused, and so is whoever comes later (round ${index})`, async () => {
      const { caller, verificationMs } = await makeDearKey();
      expect(await askAndRevoke(caller, caller, early(random()) * verificationMs)).to.equal(401);
      expect((await ask(caller)).status).to.equal(401);
    });
  }

  it('nothing of it reached an upstream', () => {
    expect(stack.ollama.inferences).to.have.length(0);
  });

  it('a key that is not revoked is served, although another was while it was verified', async () => {
    const { caller, verificationMs } = await makeDearKey();
    const other = await stack.makeCaller();
    expect(await askAndRevoke(caller, other, early(0.5) * verificationMs)).to.equal(200);
    expect(stack.ollama.inferences).to.have.length(1);
  });

  it('leaves ledger, audit and Redis in agreement', () => checkLedger(stack));

  /** The status of an answer that came after the revocation, which came while it was worked on. */
  async function askAndRevoke(caller: MadeKey, revoked: MadeKey, afterMs: number): Promise<number> {
    const sentMs = systemClock.monotonicMs();
    const answer = ask(caller);
    await until(() => systemClock.monotonicMs() >= sentMs + afterMs, {
      withinMs: 10_000,
      what: 'a moment of the verification',
    });
    await stack.database.query('insert into gateway.revocations (key_id) values ($1)', [
      revoked.keyId,
    ]);
    const revokedMs = systemClock.monotonicMs();
    const { status, atMs } = await answer;
    // Else it proved nothing: the answer was on its way.
    expect(atMs, 'the answer').to.be.above(revokedMs);
    return status;
  }

  async function makeDearKey(): Promise<{
    readonly caller: MadeKey;
    readonly verificationMs: number;
  }> {
    const { key } = makeKey();
    const startedMs = systemClock.monotonicMs();
    const hash = await hashKey(key, DEAR_COST);
    const verificationMs = systemClock.monotonicMs() - startedMs;
    return { caller: await insertDearKey(key, hash), verificationMs };
  }

  async function ask({
    key,
  }: MadeKey): Promise<{ readonly status: number; readonly atMs: number }> {
    const { status } = await askAdmission(stack.gateway.url, key);
    return { status, atMs: systemClock.monotonicMs() };
  }

  /** Never known with a cheaper hash, not for a moment. */
  async function insertDearKey(key: string, hash: string): Promise<MadeKey> {
    const tenantId = await stack.makeTenant();
    const publicId = readPublicId(key) ?? '';
    noteSecret(key);
    const { rows } = await stack.database.query<{ id: string }>(
      `insert into gateway.api_keys (tenant_id, public_id, hash, secret_tag)
       values ($1, $2, $3, $4) returning id`,
      [tenantId, publicId, hash, makeSecretTag(PEPPER, key)],
    );
    return { key, publicId, keyId: rows[0]?.id ?? '', tenantId };
  }
});

/** What part of a verification: the machine may have been slower when it was measured. */
function early(phase: number): number {
  return 0.05 + 0.25 * phase;
}

/** One worker: what it has to prove anew is counted by it alone. */
describe('e2e: one of a thousand warm keys is revoked, and the limit of another changed', function () {
  this.timeout(120_000);
  let stack: Stack;
  let callers: readonly MadeKey[];
  /** Requests that were answered with 200: each needed a proof. */
  let served = 0;

  before(async () => {
    stack = await startStack({
      workers: 1,
      ollama: { byModel: { [PROBE_MODEL]: { tokens: 1 } } },
      // So that no proof is over, or nearly, while the test runs.
      env: { NZGW_VERIFIED_KEY_SECONDS: '3600' },
    });
    const tenantId = await stack.makeTenant();
    callers = await inParallel(Array.from({ length: WARM }), () => stack.makeKey(tenantId));
    expect(await askAll(callers)).to.deep.equal(new Set([200]));
  });
  after(() => stack.stop());

  it('for all the others Argon2 is not run and Postgres not asked', async () => {
    const [revoked, limited, ...others] = callers;
    if (revoked === undefined || limited === undefined) throw new Error('there are no keys');
    await stack.database.query('insert into gateway.revocations (key_id) values ($1)', [
      revoked.keyId,
    ]);
    await stack.database.query(
      'update gateway.key_limits set max_output_tokens = $2 where key_id = $1',
      [limited.keyId, LIMIT],
    );
    await until(async () => (await askLimit(limited)) === String(LIMIT), {
      withinMs: 1_000,
      what: 'the new limit',
    });
    expect(await askAll([revoked])).to.deep.equal(new Set([401]));

    const before = await readProofs();
    const askedAt = await readLastQuery();
    expect(await askAll(others)).to.deep.equal(new Set([200]));
    expect(await readLastQuery()).to.equal(askedAt);
    const remembered = (before.get('proved_by_map') ?? 0) + others.length;
    const expected = new Map(before).set('proved_by_map', remembered);
    expect(await readProofs()).to.deep.equal(expected);
  });

  it('an unknown key is asked for in Postgres, and seen there', async () => {
    const askedAt = await readLastQuery();
    expect((await askAdmission(stack.gateway.url, makeKey().key)).status).to.equal(401);
    expect(await readLastQuery()).to.be.above(askedAt);
  });

  it('leaves ledger, audit and Redis in agreement', () => checkLedger(stack));

  async function askAll(asked: readonly MadeKey[]): Promise<ReadonlySet<number>> {
    const responses = await inParallel(asked, ({ key }) => askAdmission(stack.gateway.url, key));
    served += responses.filter(({ ok }) => ok).length;
    return new Set(responses.map(({ status }) => status));
  }

  async function askLimit({ key }: MadeKey): Promise<string | null> {
    const response = await fetch(`${stack.gateway.url}/api/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: PROBE_MODEL, messages: [{ role: 'user', content: 'hi' }] }),
    });
    await response.text();
    served += 1;
    return response.headers.get('x-nzgw-max-tokens');
  }

  /** How keys were proved, once the worker has told of all that it served. */
  async function readProofs(): Promise<ReadonlyMap<string, number>> {
    return until(
      async () => {
        const text = await (await fetch(`${stack.gateway.adminUrl}/metrics`)).text();
        const counts = [...text.matchAll(PROOFS)];
        const proofs = new Map(counts.map(([, name = '', count]) => [name, Number(count)]));
        return [...proofs.values()].reduce((sum, count) => sum + count, 0) === served && proofs;
      },
      { withinMs: 5_000, what: 'every request to be counted' },
    );
  }

  /** When a worker asked Postgres last, in ms by its clock; a connection it closed is no question. */
  async function readLastQuery(): Promise<number> {
    const { rows } = await stack.database.query<{ ms: number | null }>(
      `select max(extract(epoch from query_start) * 1000)::float8 as ms from pg_stat_activity
       where datname = current_database() and application_name = 'nzgw worker'`,
    );
    return rows[0]?.ms ?? 0;
  }
});

/** Some at a time, in order. */
async function inParallel<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(act))));
  }
  return results;
}
