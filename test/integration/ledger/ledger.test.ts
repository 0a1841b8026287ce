import { expect } from 'chai';
import { BOOKKEEPING } from '../../../lib/config/tables/bookkeeping.ts';
import { makeAskAdmission, NoAnswerError } from '../../../lib/ledger/ask-admission.ts';
import { openEventStream } from '../../../lib/ledger/event-stream.ts';
import { KEYS, shardOf } from '../../../lib/ledger/keys.ts';
import { openLedger, SETTLE_TIMEOUT_MS } from '../../../lib/ledger/ledger.ts';
import type { Ledger, LedgerParts } from '../../../lib/ledger/ledger.ts';
import { openModelsCopy } from '../../../lib/ledger/models-copy.ts';
import { makeRedisTime } from '../../../lib/ledger/redis-time.ts';
import { openRevokedMarkers } from '../../../lib/ledger/revoked-markers.ts';
import { defineScripts } from '../../../lib/ledger/scripts.ts';
import { openVerifiedEntries } from '../../../lib/ledger/verified-entries.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { flushAll } from '../../support/every-node.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import { readyShard } from '../../support/ready-shard.ts';
import {
  ADMISSION_ID,
  KEY_ID,
  sampleAdmitRequest,
  sampleEntry,
  TENANT_ID,
} from '../../support/sample-request.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startOwnRedis, startTestRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const REQUEST = sampleAdmitRequest();
const SHARD = shardOf(TENANT_ID, 16);

function open(redis: Redis, changes: Partial<LedgerParts> = {}): Ledger {
  const parts = { shards: 16, clock: systemClock, incarnation: 'a-worker', leaseMs: 30_000 };
  return openLedger(redis, { ...parts, ...changes });
}

async function refusalOf(admission: Promise<unknown>): Promise<NoAnswerError> {
  const error: unknown = await admission.catch((reason: unknown) => reason);
  if (error instanceof NoAnswerError) return error;
  throw new Error('there was an answer, or another error');
}

describe('ledger/ledger', () => {
  let url: string;
  let redis: Redis;
  before(async function () {
    this.timeout(30_000);
    ({ url } = await startTestRedis());
  });
  // A ledger listens to its connection for good.
  beforeEach(async () => {
    redis = await connectRedis(url);
    await flushAll(redis);
    await readyShard(redis, SHARD);
  });
  afterEach(() => {
    redis.disconnect();
  });

  it('asks Redis for the time before the first admission, and knows it from then on', async () => {
    const ledger = open(redis);
    expect(ledger.estimateTimeMs(TENANT_ID)).to.equal(null);
    const replies = await Promise.all([
      ledger.admit(REQUEST),
      ledger.admit({ ...REQUEST, id: KEY_ID }),
    ]);
    expect(replies.map(({ kind }) => kind)).to.deep.equal(['ok', 'ok']);
    const [seconds] = await redis.time();
    const aheadMs = Number(ledger.estimateTimeMs(TENANT_ID)) - Number(seconds) * 1_000;
    expect(aheadMs).to.be.within(-50, 1_050);
  });

  it('learns the time from a late reply, so that one wrong guess is not repeated', async () => {
    const ledger = open(redis, { scripts: loadMovableScripts() });
    const { nowMs } = await ledger.admit(REQUEST);
    const ahead = nowMs + 60_000;
    await moveTime(redis, KEYS.life(SHARD), ahead);
    expect(await ledger.admit(REQUEST)).to.deep.equal({ kind: 'late', nowMs: ahead });
    expect(await ledger.admit(REQUEST)).to.include({ kind: 'ok', nowMs: ahead });
  });

  it('counts the deadline of the first admission from its start, not from when the time was known', async () => {
    let passedMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs };
    const ledger = open(redis, { clock });
    const refused = refusalOf(ledger.admit(REQUEST));
    passedMs = REQUEST.timeoutMs + 500;
    expect(await refused).to.include({ timedOut: true, cancellation: null });
    expect((await ledger.admit({ ...REQUEST, id: KEY_ID })).kind).to.equal('ok');
  });

  it('no setting makes an admission wait for longer than the connection waits for a command', () => {
    const { schema } = BOOKKEEPING.admitTimeoutMs.kind;
    expect(schema.safeParse(String(SETTLE_TIMEOUT_MS - 1_000)).success).to.equal(true);
    expect(schema.safeParse(String(SETTLE_TIMEOUT_MS)).success).to.equal(false);
  });

  it('gives with an admission the hold by which it can be settled or made anew', async () => {
    const ledger = open(redis);
    const reply = await ledger.admit(REQUEST);
    if (reply.kind !== 'ok') throw new Error(reply.kind);
    const { nowMs: admittedAtMs, hold } = reply;
    expect(hold).to.deep.include({
      ...{ id: ADMISSION_ID, shard: SHARD, keyId: KEY_ID, tenantId: TENANT_ID, admittedAtMs },
      ...{ heldTokens: 140, countedTokens: 110 },
    });
    expect(JSON.parse(hold.facts)).to.deep.equal({ id: ADMISSION_ID, ...REQUEST.facts });

    await flushAll(redis);
    const running = [{ hold, promptTokens: 1, completionTokens: 2 }];
    const lost = { lifeId: null, current: false, unknown: [ADMISSION_ID] };
    expect(await ledger.renew(SHARD, running, 1_000)).to.deep.include(lost);
    await ledger.rehold(SHARD, running);
    expect(await ledger.renew(SHARD, running, 1_000)).to.deep.include({ unknown: [] });
  });

  it('appends settlements and refusals to the tenant’s shard, also when it is full for admissions', async () => {
    const ledger = open(redis);
    await ledger.settle(sampleEntry());
    await ledger.settle(sampleEntry());
    await ledger.note(sampleEntry({ id: KEY_ID }));
    const another = { ...REQUEST, id: TENANT_ID, maxWaitingEntries: 2 };
    const full = await ledger.admit(another);
    expect(full).to.include({ kind: 'no', backlog: true });

    const stream = openEventStream(redis, SHARD);
    expect(await stream.length(), 'a repeated settlement adds nothing').to.equal(2);
    const [first, second] = await stream.read(2);
    expect(first?.entry).to.deep.equal(sampleEntry());
    expect(second?.entry).to.deep.equal(sampleEntry({ id: KEY_ID }));
    await stream.remove([first?.streamId ?? '']);
    await stream.remove([]);
    expect(await stream.length()).to.equal(1);
    expect((await ledger.admit(another)).kind).to.equal('ok');
  });

  it('reads an event that is none of ours as no entry, with its fields to look at', async () => {
    await redis.xadd(KEYS.events(SHARD), '*', 'other', 'x');
    const [event] = await openEventStream(redis, SHARD).read(5);
    expect(event).to.include({ entry: null, text: '["other","x"]' });
  });

  it('keeps refusals only while so many wait, tells of each that it does not keep, and settles all the same', async () => {
    let dropped = 0;
    const onFull = (): void => {
      dropped += 1;
    };
    const ledger = open(redis, { notes: { mostWaiting: 2, onFull } });
    for (let count = 0; count < 5; count += 1) await ledger.note(sampleEntry({ id: KEY_ID }));
    const stream = openEventStream(redis, SHARD);
    expect([await stream.length(), dropped]).to.deep.equal([2, 3]);
    await ledger.settle(sampleEntry());
    expect(await stream.length()).to.equal(3);
  });

  it('refuses what the markers name, until they lapse', async () => {
    const ledger = open(redis);
    await openRevokedMarkers(redis, 16).markKey(TENANT_ID, KEY_ID, 60_000);
    expect((await ledger.admit(REQUEST)).kind).to.equal('revoked');
    expect((await ledger.admit({ ...REQUEST, keyId: TENANT_ID })).kind).to.equal('ok');
    expect(await redis.pttl(KEYS.revokedKey(SHARD, KEY_ID))).to.be.within(1, 60_000);

    await redis.del(KEYS.revokedKey(SHARD, KEY_ID));
    expect((await ledger.admit(REQUEST)).kind).to.equal('ok');
    await redis.set(KEYS.revokedTenant(SHARD, TENANT_ID), '1');
    expect((await ledger.admit(REQUEST)).kind).to.equal('revoked');
  });

  it('sends nothing for a request that no script could count', async () => {
    const wrong = open(redis).admit({ ...REQUEST, promptTokens: Number.NaN });
    expect(await wrong.catch((error: unknown) => error)).to.be.instanceOf(RangeError);
    expect(await redis.exists(KEYS.hold(SHARD, ADMISSION_ID))).to.equal(0);
  });

  it('does not wait for a Redis that does not answer, and says what must be taken back', async function () {
    this.timeout(20_000);
    const own = await startOwnRedis({ appendOnly: false });
    const paused = await connectRedis(own.url);
    try {
      await readyShard(paused, SHARD);
      for (const known of [false, true]) {
        const ledger = open(paused);
        if (known) await ledger.admit(REQUEST);
        own.signal('SIGSTOP');
        const refusal = await refusalOf(ledger.admit({ ...REQUEST, timeoutMs: 60 }));
        own.signal('SIGCONT');
        expect(refusal.timedOut).to.equal(true);
        if (known) expect(refusal.cancellation).to.include({ id: ADMISSION_ID, shard: SHARD });
        else expect(refusal.cancellation, 'nothing but the time was asked').to.equal(null);
      }
    } finally {
      own.signal('SIGCONT');
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
      await readyShard(cut, SHARD);
      const ledger = open(cut);
      await ledger.admit(REQUEST);
      proxy.reset();
      await until(() => ledger.estimateTimeMs(TENANT_ID) === null, {
        withinMs: 2_000,
        what: 'the cut',
      });
      const refusal = await refusalOf(ledger.admit(REQUEST));
      expect(refusal).to.include({ cancellation: null, timedOut: false });
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

  it('sends nothing on a connection that is away, or goes away while the time is asked for', async () => {
    let status = 'ready';
    const cut = Object.create(redis, { status: { get: () => status } }) as Redis;
    const ask = makeAskAdmission({
      ...{
        connection: cut,
        redis: defineScripts(cut),
        clock: systemClock,
        time: makeRedisTime(systemClock),
      },
      ...{ shards: 16, incarnation: 'a-worker', leaseMs: 30_000 },
      learnTimeMs: () => {
        status = 'reconnecting';
        return Promise.resolve(systemClock.wallMs());
      },
    });
    for (const when of ['while the time was asked for', 'before that']) {
      const refusal = await refusalOf(ask(REQUEST));
      expect(refusal, when).to.include({ cancellation: null, timedOut: false });
    }
  });
});

describe('ledger/verified-entries, ledger/models-copy', () => {
  let redis: Redis;
  before(async function () {
    this.timeout(30_000);
    redis = await connectRedis((await startTestRedis()).url);
  });
  beforeEach(() => flushAll(redis));
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
