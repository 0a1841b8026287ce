import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';
import { isRunning } from '../support/is-running.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { scrape } from '../support/read-metrics.ts';
import { rounds } from '../support/rounds.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { listWorkers } from '../support/worker-client.ts';

/** Asking without a pause would take the processor from the worker that is to start. */
const BREATH_MS = 20;
/** A scrape that takes longer waited for somebody. */
const SCRAPE_MS = 2_000;
const BLOCKED_MS = 2_000;
/** The gateway ends itself at the sixth death in 30 s. */
const MOST_DEATHS = 4;
const DEATHS_WINDOW_MS = 31_000;
const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

describe('e2e: workers die while the gateway is scraped', function () {
  this.timeout(90_000);
  let stack: Stack;
  let caller: MadeKey;
  let stop: AbortController;
  let load: Promise<unknown>;
  /** Every counter and every part of a histogram, as the last scrape had it. */
  let last: ReadonlyMap<string, number>;
  let scrapes: number;
  /** Counters that fell, scrapes that failed. */
  let faults: string[];
  const deaths: number[] = [];

  before(async () => {
    stack = await startStack({ workers: 2 });
    caller = await stack.makeCaller();
  });
  after(() => stack.stop());

  beforeEach(() => {
    stop = new AbortController();
    last = new Map();
    scrapes = 0;
    faults = [];
    load = Promise.all([
      keepAsking(() => post(`${stack.gateway.url}/api/chat`, caller.key, CHAT)),
      keepAsking(() =>
        post(`${stack.gateway.url}/api/chat`, caller.key, { ...CHAT, stream: false }),
      ),
      keepAsking(() => post(`${stack.gateway.url}/api/pull`, caller.key, CHAT)),
      keepAsking(() => post(`${stack.gateway.url}/api/chat`, 'wrong', CHAT)),
      keepScraping(),
    ]);
  });
  afterEach(async () => {
    stop.abort();
    await load;
  });

  /** A connection that breaks with its worker is no matter here. */
  async function keepAsking(ask: () => Promise<Response>): Promise<void> {
    while (!stop.signal.aborted) {
      await ask()
        .then((response) => response.text())
        .catch(() => undefined);
      await wait(BREATH_MS);
    }
  }

  async function keepScraping(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        compare(await readCounters());
      } catch (error) {
        faults.push(String(error));
      }
      scrapes += 1;
      await wait(BREATH_MS);
    }
  }

  function compare(now: ReadonlyMap<string, number>): void {
    for (const [series, before] of last) {
      const value = now.get(series);
      if (value === undefined || value < before) {
        faults.push(`${series}: ${before} -> ${value ?? 'gone'}`);
      }
    }
    last = now;
  }

  /** @throws Error for a scrape that fails or takes too long */
  async function readCounters(): Promise<ReadonlyMap<string, number>> {
    const families = await scrape(stack.gateway.adminUrl, SCRAPE_MS);
    const grows = [...families.values()].filter(({ type }) => type !== 'gauge');
    return new Map(grows.flatMap(({ series }) => [...series]));
  }

  const countRequests = (): number =>
    [...last]
      .filter(([series]) => series.startsWith('gateway_requests_total'))
      .reduce((sum, [, value]) => sum + value, 0);

  async function untilMoreIsCounted(): Promise<void> {
    const [counted, scraped] = [countRequests(), scrapes];
    await until(() => countRequests() > counted && scrapes > scraped + 2, {
      withinMs: 8_000,
      what: 'more requests to be counted',
    });
  }

  const listLiving = (): readonly number[] => listWorkers(stack.gateway).filter(isRunning);

  for (const { seed, random } of rounds({ ci: 2, full: 40 })) {
    it(`killed: no counter falls, no scrape fails (seed ${seed})`, async () => {
      await until(
        () =>
          deaths.filter((at) => systemClock.monotonicMs() - at < DEATHS_WINDOW_MS).length <
          MOST_DEATHS,
        { withinMs: DEATHS_WINDOW_MS, what: 'a death that the gateway lives through' },
      );
      await untilMoreIsCounted();
      await wait(random() * 1_000);
      const known = listWorkers(stack.gateway).length;
      const victim = listLiving()[Math.floor(random() * 2)] ?? 0;
      deaths.push(systemClock.monotonicMs());
      process.kill(victim, 'SIGKILL');
      await untilMoreIsCounted();
      await until(() => listWorkers(stack.gateway).length > known, {
        withinMs: 20_000,
        what: 'another worker',
      });
      await untilMoreIsCounted();
      expect(faults).to.deep.equal([]);
      expect(last.get('gateway_worker_restarts_total')).to.equal(deaths.length);
    });
  }

  it('blocked: a scrape does not wait for it, and what it counts comes when it goes on', async () => {
    await untilMoreIsCounted();
    const [blocked = 0] = listLiving();
    process.kill(blocked, 'SIGSTOP');
    try {
      const before = scrapes;
      const since = systemClock.monotonicMs();
      // Those that it holds wait; what the other one serves goes on.
      await until(() => systemClock.monotonicMs() - since > BLOCKED_MS, {
        withinMs: BLOCKED_MS + 1_000,
        what: 'some time of it',
      });
      expect(scrapes - before).to.be.above(5);
    } finally {
      process.kill(blocked, 'SIGCONT');
    }
    await untilMoreIsCounted();
    expect(faults).to.deep.equal([]);
    expect(isRunning(blocked)).to.equal(true);
  });

  it('leaves ledger, audit and Redis in agreement', async () => {
    stop.abort();
    await load;
    await checkLedger(stack);
  });
});
