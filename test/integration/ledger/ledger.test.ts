import { expect } from 'chai';
import { BOOKKEEPING } from '../../../lib/config/tables/bookkeeping.ts';
import { decodeEntry } from '../../../lib/ledger/entry-codec.ts';
import { openEventStream } from '../../../lib/ledger/event-stream.ts';
import { KEYS, shardOf } from '../../../lib/ledger/keys.ts';
import { openLedger, SETTLE_TIMEOUT_MS } from '../../../lib/ledger/ledger.ts';
import type { AdmitRequest } from '../../../lib/ledger/ledger.ts';
import { openModelsCopy } from '../../../lib/ledger/models-copy.ts';
import { openRevokedMarkers } from '../../../lib/ledger/revoked-markers.ts';
import { openVerifiedEntries } from '../../../lib/ledger/verified-entries.ts';
import { LedgerTimeoutError } from '../../../lib/ledger/within.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import { KEY_ID, sampleEntry, TENANT_ID } from '../../support/sample-request.ts';
import { connectRedis, startOwnRedis, startTestRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const REQUEST: AdmitRequest = {
  tenantId: TENANT_ID,
  keyId: KEY_ID,
  timeoutMs: 1_000,
  maxWaitingEntries: 2,
};
const parts = { shards: 16, clock: systemClock };
const SHARD = shardOf(TENANT_ID, 16);

describe('ledger/ledger', () => {
  let redis: Redis;
  before(async function () {
    this.timeout(30_000);
    redis = await connectRedis((await startTestRedis()).url);
  });
  beforeEach(() => redis.flushall());
  after(() => {
    redis.disconnect();
  });

  it('asks Redis for the time before the first admission, and knows it from then on', async () => {
    const ledger = openLedger(redis, parts);
    expect(ledger.estimateTimeMs()).to.equal(null);
    const replies = await Promise.all([ledger.admit(REQUEST), ledger.admit(REQUEST)]);
    expect(replies.map(({ kind }) => kind)).to.deep.equal(['ok', 'ok']);
    const [seconds] = await redis.time();
    expect(Number(ledger.estimateTimeMs()) - Number(seconds) * 1_000).to.be.within(-50, 1_050);
  });

  it('learns the time from a late reply, so that one wrong guess is not repeated', async () => {
    const ledger = openLedger(redis, { ...parts, scripts: loadMovableScripts() });
    await ledger.admit(REQUEST);
    const ahead = Number(ledger.estimateTimeMs()) + 60_000;
    await moveTime(redis, KEYS.events(SHARD), ahead);
    expect(await ledger.admit(REQUEST)).to.deep.equal({ kind: 'late', nowMs: ahead });
    expect(await ledger.admit(REQUEST)).to.deep.equal({ kind: 'ok', nowMs: ahead });
  });

  it('counts the deadline of the first admission from its start, not from when the time was known', async () => {
    let passedMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs };
    const ledger = openLedger(redis, { ...parts, clock });
    const admitted = ledger.admit(REQUEST);
    passedMs = REQUEST.timeoutMs + 500;
    expect((await admitted).kind).to.equal('late');
    expect((await ledger.admit(REQUEST)).kind).to.equal('ok');
  });

  it('no setting makes an admission wait for longer than the connection waits for a command', () => {
    const { schema } = BOOKKEEPING.admitTimeoutMs.kind;
    expect(schema.safeParse(String(SETTLE_TIMEOUT_MS - 1_000)).success).to.equal(true);
    expect(schema.safeParse(String(SETTLE_TIMEOUT_MS)).success).to.equal(false);
  });

  it('appends settlements to the tenant’s shard, also when it is full for admissions', async () => {
    const ledger = openLedger(redis, parts);
    for (let count = 0; count < 3; count += 1) await ledger.settle(sampleEntry());
    expect(await ledger.admit(REQUEST)).to.deep.equal({ kind: 'backlog', entries: 3 });

    const stream = openEventStream(redis, SHARD);
    const events = await stream.read(2);
    expect(events.map(({ text }) => decodeEntry(text))).to.deep.equal([
      sampleEntry(),
      sampleEntry(),
    ]);
    await stream.remove(events.map(({ streamId }) => streamId));
    await stream.remove([]);
    expect(await stream.length()).to.equal(1);
    expect((await ledger.admit(REQUEST)).kind).to.equal('ok');
  });

  it('reads an event of a shape that is not ours as an empty text', async () => {
    await redis.xadd(KEYS.events(SHARD), '*', 'other', 'x');
    const [event] = await openEventStream(redis, SHARD).read(5);
    expect(event).to.include({ text: '' });
  });

  it('refuses what the markers name, until they lapse', async () => {
    const ledger = openLedger(redis, parts);
    const markers = openRevokedMarkers(redis, 16);
    await markers.markKey(TENANT_ID, KEY_ID, 60_000);
    expect((await ledger.admit(REQUEST)).kind).to.equal('revoked');
    expect((await ledger.admit({ ...REQUEST, keyId: TENANT_ID })).kind).to.equal('ok');
    expect(await redis.pttl(KEYS.revokedKey(SHARD, KEY_ID))).to.be.within(1, 60_000);

    await redis.flushall();
    expect((await ledger.admit(REQUEST)).kind).to.equal('ok');
    await redis.set(KEYS.revokedTenant(SHARD, TENANT_ID), '1');
    expect((await ledger.admit(REQUEST)).kind).to.equal('revoked');
  });

  it('does not wait for a Redis that does not answer, the first time and later', async function () {
    this.timeout(20_000);
    const own = await startOwnRedis({ appendOnly: false });
    const paused = await connectRedis(own.url);
    try {
      for (const known of [false, true]) {
        const ledger = openLedger(paused, parts);
        if (known) await ledger.admit(REQUEST);
        process.kill(own.pid, 'SIGSTOP');
        const outcome = await ledger
          .admit({ ...REQUEST, timeoutMs: 60 })
          .catch((error: unknown) => error);
        process.kill(own.pid, 'SIGCONT');
        expect(outcome).to.be.instanceOf(LedgerTimeoutError);
      }
    } finally {
      process.kill(own.pid, 'SIGCONT');
      paused.disconnect();
      await own.remove();
    }
  });

  it('forgets the time with the connection, fails at once while there is none, and recovers', async function () {
    this.timeout(20_000);
    const own = await startOwnRedis({ appendOnly: false, port: 0 });
    const proxy = await startFaultProxy(own.url);
    const cut = await connectRedis(proxy.url);
    try {
      const ledger = openLedger(cut, parts);
      await ledger.admit(REQUEST);
      proxy.reset();
      await until(() => ledger.estimateTimeMs() === null, { withinMs: 2_000, what: 'the cut' });
      const outcome = await ledger.admit(REQUEST).catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(Error).and.not.instanceOf(LedgerTimeoutError);
      proxy.pass();
      await until(() => ledger.admit(REQUEST).catch(() => undefined), {
        withinMs: 5_000,
        what: 'an admission',
      });
    } finally {
      cut.disconnect();
      await proxy.close();
      await own.remove();
    }
  });
});

describe('ledger/verified-entries, ledger/models-copy', () => {
  let redis: Redis;
  before(async function () {
    this.timeout(30_000);
    redis = await connectRedis((await startTestRedis()).url);
  });
  beforeEach(() => redis.flushall());
  after(() => {
    redis.disconnect();
  });

  it('keeps a proof by key id for its time and no longer', async () => {
    const entries = openVerifiedEntries(redis);
    expect(await entries.get('k')).to.equal(null);
    await entries.set('k', 'proof', 60_000);
    expect(await entries.get('k')).to.equal('proof');
    expect(await redis.pttl('nz1:auth:k')).to.be.within(1, 60_000);
    await entries.delete('k');
    expect(await entries.get('k')).to.equal(null);
    await entries.set('k', 'proof', 0.5);
    await until(async () => (await entries.get('k')) === null, {
      withinMs: 1_000,
      what: 'the end of the proof',
    });
  });

  it('tells a snapshot’s age by Redis’s clock', async () => {
    const copy = openModelsCopy(redis);
    const url = 'http://127.0.0.1:11434';
    expect(await copy.read(url)).to.equal(null);
    await copy.write(url, 'line\nline', 60_000);
    const read = await copy.read(url);
    expect(read?.text).to.equal('line\nline');
    expect(read?.ageMs).to.be.within(0, 2_000);
    expect(await redis.pttl(KEYS.models(url))).to.be.within(1, 60_000);
  });

  it('trusts no snapshot whose age cannot be told', async () => {
    const copy = openModelsCopy(redis);
    await redis.set(KEYS.models('u'), 'text');
    expect(await copy.read('u')).to.equal(null);
    await redis.set(KEYS.models('u'), `${systemClock.wallMs() + 3_600_000}\ntext`);
    expect(await copy.read('u')).to.equal(null);
  });
});
