import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { askAdmission, IN_FORCE_MS, PROBE_MODEL, watchKey } from '../support/revoking.ts';
import type { KeyWatch, Probe } from '../support/revoking.ts';
import { rounds } from '../support/rounds.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { connect } from '../support/test-postgres.ts';
import { until } from '../support/until.ts';

/** 20 s in the matrix. */
const AWAY_MS = process.env['NZGW_TEST_FULL'] === '1' ? 20_000 : 3_000;
const WAYS = ['reset', 'blackhole'] as const;

/** A transaction of a writer: when it begins and commits, as parts of the time away. */
const WRITERS = [
  { name: 'begun before and committed meanwhile', beginsAt: -1, commitsAt: 0.5 },
  { name: 'begun before and committed after', beginsAt: -1, commitsAt: 2 },
  { name: 'begun and committed meanwhile', beginsAt: 0.3, commitsAt: 0.9 },
];

interface Writing {
  readonly caller: MadeKey;
  readonly watch: KeyWatch;
  readonly committed: Promise<number>;
}

describe('e2e: Postgres is away for the gateway, and comes back', function () {
  this.timeout(90_000);
  let stack: Stack;
  let postgres: FaultProxy;
  let writers: readonly PostgresClient[];

  before(async () => {
    stack = await startStack({
      ollama: { byModel: { [PROBE_MODEL]: { tokens: 1 } } },
      through: async (urls) => {
        postgres = await startFaultProxy(urls.databaseUrl);
        return { ...urls, databaseUrl: postgres.url };
      },
    });
    writers = await Promise.all(WRITERS.map(() => connect(stack.databaseUrl)));
  });
  after(async () => {
    await Promise.all(writers.map((writer) => writer.end()));
    await stack.stop();
    await postgres.close();
  });

  for (const { index, random } of rounds({ ci: 2, full: 20 })) {
    const way = WAYS[index % WAYS.length] ?? 'reset';

    it(`every revocation is in force a second after its return, whoever committed when (${way}, round ${index})`, async () => {
      const callers = await Promise.all(WRITERS.map(() => stack.makeCaller()));
      const spared = await stack.makeCaller();
      for (const { key } of [...callers, spared]) await untilServed(key);
      for (const [n, { beginsAt }] of WRITERS.entries())
        if (beginsAt < 0) await begin(n, callers[n]);

      postgres[way]();
      const goneMs = systemClock.monotonicMs();
      const away = (part: number): Promise<unknown> => untilMs(goneMs + part * AWAY_MS);
      const writing = WRITERS.map(({ beginsAt, commitsAt }, n): Writing => {
        const caller = callers[n];
        if (caller === undefined) throw new Error('there is no caller');
        const write = async (): Promise<number> => {
          if (beginsAt >= 0) {
            await away(beginsAt);
            await begin(n, caller);
          }
          // What commits after the return does so at some moment of it.
          await away(commitsAt > 1 ? 1 + (0.5 + random()) * 0.1 : commitsAt);
          await writers[n]?.query('commit');
          return systemClock.wallMs();
        };
        return { caller, watch: watchKey([stack.gateway.url], caller, []), committed: write() };
      });
      await away(1);
      postgres.pass();
      const backMs = systemClock.wallMs();

      for (const { watch, committed } of writing) {
        const inForceMs = Math.max(backMs, await committed) + IN_FORCE_MS;
        await until(() => watch.probes.findLast(sawRefusal(inForceMs)), {
          withinMs: 5_000,
          what: 'a refusal after that second',
        });
        await watch.stop();
        expectInForce(watch, inForceMs);
      }
      await untilServed(spared.key);
    });
  }

  it('leaves ledger, audit and Redis in agreement', () => checkLedger(stack));

  async function begin(n: number, caller: MadeKey | undefined): Promise<void> {
    await writers[n]?.query('begin');
    await writers[n]?.query('insert into gateway.revocations (key_id) values ($1)', [
      caller?.keyId,
    ]);
  }

  async function untilServed(key: string): Promise<void> {
    await until(async () => (await askAdmission(stack.gateway.url, key)).ok, {
      withinMs: 15_000,
      what: 'the key to be served',
    });
  }
});

function sawRefusal(fromMs: number): (probe: Probe) => boolean {
  return ({ sentAtMs, status }) => sentAtMs > fromMs && status === 401;
}

/** Once known it is 401, on whichever worker; 503 while Postgres is away. */
function expectInForce({ probes }: KeyWatch, inForceMs: number): void {
  expect(probes.filter(({ status }) => ![200, 401, 503].includes(status))).to.deep.equal([]);
  const late = probes.filter(({ sentAtMs, status }) => sentAtMs > inForceMs && status !== 401);
  const latenesses = late.map(
    ({ status, sentAtMs }) => `${status} ${sentAtMs - inForceMs} ms late`,
  );
  expect(latenesses).to.deep.equal([]);
}

async function untilMs(atMs: number): Promise<void> {
  await until(() => systemClock.monotonicMs() >= atMs, { withinMs: 60_000, what: 'the moment' });
}
