import autocannon from 'autocannon';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { hashKey } from '../lib/auth/hash-key.ts';
import { makeKey } from '../lib/auth/key-format.ts';
import { makeSecretTag } from '../lib/auth/secret-tag.ts';
import { openPool } from '../lib/store/postgres.ts';
import type { Pool } from '../lib/store/postgres.ts';
import { createKey } from '../lib/tenants/create-key.ts';
import { NO_LIMITS } from '../lib/tenants/limit-columns.ts';
import { until } from '../test/support/until.ts';
import { startBuilt } from './child.ts';
import { PEPPER, startGateway } from './gateway.ts';
import { judgeUser } from './judge-user.ts';
import type { Attempt } from './judge-user.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '300' },
  },
});
const users = Number(values.users);
const seconds = Number(values.seconds);

const MODEL = 'perf-json:latest';
const PROMPT_TOKENS = 21;
const OUTPUT_TOKENS = 9;
const REQUESTS_PER_MINUTE = 60;
/** Twice what the limit lets through. */
const ATTEMPTS_PER_SECOND = 2;
const MOST_P99_MS = 25;
/** The settings' own: a cheaper hash would be made anew at the first request. */
const HASH_COST = { memoryKib: 19_456, passes: 2, lanes: 1 };
const BODY = JSON.stringify({
  model: MODEL,
  stream: false,
  messages: [{ role: 'user', content: 'one of many' }],
  options: { num_predict: OUTPUT_TOKENS },
});

/** Many users, each at twice its limit: every refusal and every token must be right (DESIGN §9). */
async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nzgw-users-'));
  await chmod(directory, 0o711);
  const script = { tokens: OUTPUT_TOKENS, promptTokens: PROMPT_TOKENS };
  const upstream = startBuilt(
    'test/support/fake-ollama-main.js',
    JSON.stringify({ models: [{ name: MODEL }], always: script }),
  );
  const { url } = z.object({ url: z.string() }).parse(await upstream.readJson());
  const gateway = await startGateway({ directory, upstream: url, workers: 2 });
  const database = openPool({
    url: gateway.databaseUrl,
    applicationName: 'perf',
    maxConnections: 2,
    timeoutMs: 60_000,
  });
  try {
    const keys = await makeUsers(database);
    for (const key of keys.keys()) await sayHello(gateway.url, key);
    const met = await attack(gateway.url, [...keys.keys()]);
    const faults = await judge(database, met, [...keys.values()]);
    for (const fault of faults) process.stdout.write(`- WRONG: ${fault}\n`);
    if (faults.length > 0) process.exitCode = 1;
  } finally {
    await database.end();
    await gateway.stop();
    await upstream.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Keys by their text: the id of each. */
async function makeUsers(database: Pool): Promise<ReadonlyMap<string, string>> {
  const { rows } = await database.query<{ id: string }>('select id from gateway.tenants');
  const tenant = { id: rows[0]?.id ?? '', slug: 'perf' };
  const limits = {
    ...NO_LIMITS,
    requestsPerMinute: REQUESTS_PER_MINUTE,
    tokensPerMinute: 1_000_000,
    concurrency: 10,
    budgetTokens: 1_000_000_000,
    budgetPeriod: 'day' as const,
  };
  const made = new Map<string, string>();
  for (let n = 0; n < users; n += 1) {
    const { key, publicId } = makeKey();
    const { id } = await createKey(database, tenant, {
      publicId,
      hash: await hashKey(key, HASH_COST),
      secretTag: makeSecretTag(PEPPER, key),
      name: `user ${n}`,
      expiresAt: null,
      allowAllModels: null,
      allowedModels: null,
      limits,
    });
    made.set(key, id);
  }
  return made;
}

/** A user that is known already: its key is proved, its counters are filled. */
async function sayHello(url: string, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(`${url}/api/v1/key`, { headers });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`a user was not known: ${response.status}`);
}

/** What the users met, all of them together. */
interface Met {
  readonly statuses: ReadonlyMap<number, number>;
  readonly failures: number;
  readonly latenciesMs: readonly number[];
}

/**
 * A load of its own for each user, begun one after the other within the first second: users do not
 * knock all at the same moment, as the connections of one autocannon would each second.
 */
async function attack(url: string, keys: readonly string[]): Promise<Met> {
  const statuses = new Map<number, number>();
  const latenciesMs: number[] = [];
  const results = await Promise.all(
    keys.map(async (key, n) => {
      await setTimeout((n * 1_000) / keys.length);
      return autocannon({
        url: `${url}/api/chat`,
        method: 'POST',
        body: BODY,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        connections: 1,
        overallRate: ATTEMPTS_PER_SECOND,
        duration: seconds,
        setupClient: (client) => {
          client.on('response', (status, _bytes, responseMs) => {
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            latenciesMs.push(responseMs);
          });
        },
      });
    }),
  );
  return { statuses, latenciesMs, failures: results.reduce((sum, { errors }) => sum + errors, 0) };
}

interface Row extends Attempt {
  readonly keyId: string;
  readonly outcome: string;
  readonly charged: number;
}

/** What is wrong, in sentences. */
async function judge(
  database: Pool,
  met: Met,
  keyIds: readonly string[],
): Promise<readonly string[]> {
  const ok = met.statuses.get(200) ?? 0;
  const refused = met.statuses.get(429) ?? 0;
  const faults: string[] = [];
  const check = (fine: boolean, fault: string): void => {
    if (!fine) faults.push(fault);
  };

  const rows = await waitForRows(database, { ok, refused });
  const admitted = rows.filter((row) => row.admitted);
  const { rows: ledger } = await database.query<{ requests: number; charged: number }>(
    'select sum(requests)::float8 as requests, sum(charged_tokens)::float8 as charged from gateway.token_ledger',
  );
  const sorted = met.latenciesMs.toSorted((one, other) => one - other);
  const [p50, p99, worst] = [0.5, 0.99, 1].map((part) => readQuantile(sorted, part).toFixed(1));
  process.stdout.write(
    `${users} users for ${seconds} s: ${ok} × 200, ${refused} × 429, p50 ${p50} ms, ` +
      `p99 ${p99} ms, at most ${worst} ms, ${ledger[0]?.charged ?? 0} tokens in the ledger\n`,
  );
  const others = [...met.statuses].filter(([status]) => status !== 200 && status !== 429);
  check(others.length === 0, `other answers: ${others.map((pair) => pair.join(' × ')).join(', ')}`);
  check(met.failures === 0, `${met.failures} connections failed`);
  check(Math.abs(admitted.length - ok) <= users, `${admitted.length} rows for ${ok} answers`);
  check(ledger[0]?.requests === admitted.length, 'the ledger counts other requests than the audit');
  // Those that the end of the load cut are charged with what they had got.
  const whole = admitted.filter(({ outcome }) => outcome === 'ok');
  const wrong = whole.filter(({ charged }) => charged !== PROMPT_TOKENS + OUTPUT_TOKENS);
  check(whole.length >= ok, `${whole.length} whole requests for ${ok} answers`);
  check(wrong.length === 0, `${wrong.length} requests charged with other tokens than they used`);
  const tokens = admitted.reduce((sum, { charged }) => sum + charged, 0);
  check(
    ledger[0]?.charged === tokens,
    `the ledger has ${ledger[0]?.charged ?? 0} of ${tokens} tokens`,
  );
  check(Number(p99) < MOST_P99_MS, `p99 ${p99} ms, not below ${MOST_P99_MS} ms`);
  for (const keyId of keyIds) {
    const own = rows.filter((row) => row.keyId === keyId);
    faults.push(...judgeUser(own, REQUESTS_PER_MINUTE));
  }
  return faults;
}

/**
 * What was under way when the load ended is answered, and audited, but not counted by autocannon: so
 * all rows are there when those that were counted are, and no more come for a second.
 */
function waitForRows(
  database: Pool,
  counted: { readonly ok: number; readonly refused: number },
): Promise<readonly Row[]> {
  let before = -1;
  return until(
    async () => {
      await setTimeout(1_000);
      const rows = await readAttempts(database);
      const whole = rows.filter(({ outcome }) => outcome === 'ok').length;
      const refused = rows.filter((row) => !row.admitted).length;
      const isAtRest = rows.length === before;
      before = rows.length;
      return isAtRest && whole >= counted.ok && refused >= counted.refused && rows;
    },
    { withinMs: 60_000, what: `rows of ${counted.ok} and ${counted.refused}` },
  );
}

function readQuantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

async function readAttempts(database: Pool): Promise<readonly Row[]> {
  const { rows } = await database.query<Row>(
    `select key_id as "keyId", outcome, charged_tokens::float8 as charged,
            (extract(epoch from admitted_at) * 1000)::float8 as "atMs",
            duration_ms as "durationMs", outcome <> 'refused' as admitted
       from gateway.audit_log order by admitted_at, id`,
  );
  return rows;
}

await run();
