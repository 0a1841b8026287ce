import { expect } from 'chai';
import type { Lease } from '../../../lib/admission/lease.ts';
import { decodeEntry } from '../../../lib/ledger/entry-codec.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import { openShardLook } from '../../../lib/ledger/look.ts';
import type { CounterLook } from '../../../lib/ledger/look-replies.ts';
import { openSettlements } from '../../../lib/settlement/settlements.ts';
import type { Settlements } from '../../../lib/settlement/settlements.ts';
import { isConnected } from '../../../lib/store/redis-connection.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { Tally } from '../../../lib/upstream/tally.ts';
import { flushAll } from '../../support/every-node.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import type { FaultProxy } from '../../support/fault-proxy.ts';
import {
  askAdmit,
  makeId,
  openAdmit,
  openTestLedger,
  refusalOf,
} from '../../support/open-admit.ts';
import { readyShard } from '../../support/ready-shard.ts';
import type { ReadyShard } from '../../support/ready-shard.ts';
import { KEY_ID, sampleCall, sampleEntry } from '../../support/sample-request.ts';
import { connectRedis, untilConnected } from '../../support/connect-redis.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const LEASE_MS = 30_000;
const HELD = 10 + 26;

describe('settlement/settlements', function () {
  this.timeout(30_000);
  let own: OwnRedis;
  let proxy: FaultProxy;
  let redis: Redis;
  /** What the test itself looks with. */
  let eye: Redis;
  let ledger: Ledger;
  let settlements: Settlements;
  let shard: ReadyShard;

  before(async () => {
    own = await startOwnRedis({ settings: ['--appendfsync', 'always'] });
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(own.url);
    [redis, eye] = await Promise.all([connectRedis(proxy.url), connectRedis(own.url)]);
    await flushAll(eye);
    shard = await readyShard(eye, 0);
    await fillTotal();
    ledger = openTestLedger(redis);
    settlements = openSettlements({
      ledger,
      redis,
      clock: systemClock,
      capacity: 10,
      renewEveryMs: 100,
    });
  });
  afterEach(async () => {
    settlements.close();
    redis.disconnect();
    eye.disconnect();
    await proxy.close();
  });
  after(() => own.remove());

  const fillTotal = (): Promise<void> =>
    shard.fill({ scope: `k:${KEY_ID}`, period: 't', tokens: 0 });

  async function admit(number: number): Promise<{ lease: Lease; tally: Tally }> {
    const call = sampleCall({ options: { num_predict: 10 } });
    const lease = await askAdmit(openAdmit(ledger), { call, id: makeId(number) });
    const tally = startTally();
    settlements.follow(lease, call, tally);
    return { lease, tally };
  }
  const settle = ({ admissionId: id, admittedAtMs }: Lease): void => {
    settlements.settle(sampleEntry({ id, admittedAtMs, chargedTokens: 20 }));
  };
  async function lookAt(): Promise<CounterLook> {
    const scope = `k:${KEY_ID}` as const;
    const { counters } = await openShardLook(eye, 0).counters([{ scope, period: 't' }]);
    const [counter] = counters;
    if (counter === undefined) throw new Error('there is no counter');
    return counter;
  }
  const lapseOf = async ({ admissionId }: Lease): Promise<number> =>
    Number(await eye.zscore(KEYS.lapse(0), admissionId));
  async function idsInStream(): Promise<string[]> {
    const events = await eye.xrange(KEYS.events(0), '-', '+');
    return events.map(([, fields]) => decodeEntry(fields[1] ?? '')?.id ?? 'none');
  }
  const within = { withinMs: 10_000 };

  it('a hold lives as long as its request, tells how far that is, and ends with its settlement', async () => {
    const { lease, tally } = await admit(1);
    expect(await lookAt()).to.include({ heldTokens: HELD, spentTokens: 0 });
    const first = await lapseOf(lease);
    tally.written = true;
    tally.outputLines = 4;
    await until(async () => (await lapseOf(lease)) > first, { ...within, what: 'a renewal' });
    await until(async () => (await openShardLook(eye, 0).holds())[0]?.completionTokens === 4, {
      ...within,
      what: 'its progress to be told',
    });
    expect((await openShardLook(eye, 0).holds())[0]).to.include({ promptTokens: 19 });

    settle(lease);
    expect(await settlements.flush(2_000)).to.equal(0);
    expect(await lookAt()).to.include({ heldTokens: 0, spentTokens: 20, liveTokens: 0 });
    expect(settlements.keptCount).to.equal(1);
  });

  it('a request that cannot be settled is let lapse', async () => {
    const { lease } = await admit(1);
    settlements.abandon(lease);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await lapseOf(lease)).to.equal(lease.admittedAtMs + LEASE_MS);
  });

  it('brings every settlement to Redis across a Redis that is killed, away, and back', async () => {
    const leases: Lease[] = [];
    for (let number = 0; number < 15; number += 1) leases.push((await admit(number)).lease);
    for (const lease of leases.slice(0, 5)) settle(lease);
    expect(await settlements.flush(2_000)).to.equal(0);

    own.signal('SIGKILL');
    await until(() => !isConnected(redis), { ...within, what: 'the connection to end' });
    for (const lease of leases.slice(5)) settle(lease);
    expect(settlements.isDenying()).to.equal(true);
    expect(await settlements.flush(50)).to.equal(10);
    expect(settlements.length).to.equal(10);

    await own.restart();
    expect(await settlements.flush(10_000)).to.equal(0);
    expect(settlements.isDenying()).to.equal(false);
    await untilConnected(eye);
    expect(new Set(await idsInStream()).size).to.equal(15);
  });

  it('after a loss holds again what runs, and tells again what was settled', async () => {
    const running = await admit(1);
    const over = await admit(2);
    settle(over.lease);
    await settlements.flush(2_000);
    await new Promise((resolve) => setTimeout(resolve, 150));

    await flushAll(eye);
    await until(async () => (await lapseOf(running.lease)) > 0, { ...within, what: 'its hold' });
    expect(await idsInStream(), 'no other life has begun').to.deep.equal([]);
    shard = await readyShard(eye, 0);
    await until(async () => (await idsInStream()).length > 0, { ...within, what: 'the entry' });
    await fillTotal();
    expect(await idsInStream()).to.deep.equal([over.lease.admissionId]);
    expect(await lookAt()).to.include({ heldTokens: HELD, spentTokens: 20, liveTokens: HELD });

    settle(running.lease);
    expect(await settlements.flush(2_000)).to.equal(0);
    expect(await lookAt()).to.include({ heldTokens: 0, spentTokens: 40 });
  });

  it('takes back what Redis admitted too late to be heard, and not before its deadline', async () => {
    const impatient = openAdmit(ledger, {
      timeoutMs: 100,
      cancel: (cancellation) => {
        settlements.cancel(cancellation);
      },
    });
    await admit(1);
    const reply = proxy.hold({ command: 'admit', when: 'after' });
    const refusal = refusalOf(impatient, { id: makeId(2) });
    const held = await reply;
    expect((await refusal).code).to.equal('limiter_unavailable');
    expect(settlements.length).to.equal(1);
    expect(await eye.exists(KEYS.hold(0, makeId(2)))).to.equal(1);
    held.pass();
    expect(await settlements.flush(5_000)).to.equal(0);
    expect(await eye.exists(KEYS.hold(0, makeId(2)))).to.equal(0);
    expect(await lookAt()).to.include({ heldTokens: HELD, liveTokens: HELD });
  });

  it('renews before anything else when it has a new connection', async () => {
    const { lease } = await admit(1);
    await until(async () => (await lapseOf(lease)) > lease.admittedAtMs + LEASE_MS, {
      ...within,
      what: 'the first renewal',
    });
    const log: string[] = [];
    const watched = openSettlements({
      ledger: {
        ...ledger,
        renew: async (...asked) => {
          log.push('renew');
          const reply = await ledger.renew(...asked);
          log.push('renewed');
          return reply;
        },
        settle: (entry) => {
          log.push('settle');
          return ledger.settle(entry);
        },
      },
      redis,
      clock: systemClock,
      capacity: 10,
      renewEveryMs: 60_000,
    });
    try {
      watched.follow(lease, sampleCall(), startTally());
      await until(() => log.includes('renewed'), { ...within, what: 'the life to be known' });
      proxy.reset();
      await until(() => !isConnected(redis), { ...within, what: 'the connection to end' });
      watched.settle(sampleEntry({ id: makeId(8) }));
      log.length = 0;
      proxy.pass();
      expect(await watched.flush(5_000)).to.equal(0);
      // Until then only the settlement was tried, in vain.
      expect(log.slice(log.indexOf('renew')).slice(0, 2)).to.deep.equal(['renew', 'settle']);
    } finally {
      watched.close();
    }
  });
});
