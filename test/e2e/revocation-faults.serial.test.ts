import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { listRevocationFaults } from '../support/revocation-faults.ts';
import type { FaultWorld, RevocationFault } from '../support/revocation-faults.ts';
import {
  askAdmission,
  IN_FORCE_MS,
  openStreams,
  PROBE_MODEL,
  readRevokedAt,
  REVOKED_LINE,
  waitForPhase,
  watchKey,
} from '../support/revoking.ts';
import type { KeyWatch, TimedStream } from '../support/revoking.ts';
import { rounds } from '../support/rounds.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { openWorkerClients } from '../support/worker-client.ts';

const WORKERS = 4;
const STREAMS = 100;
const OTHERS = 2;
/** A hundred of them are five hundred lines a second. */
const PACE_MS = 200;
const GRACE_SECONDS = 3;
/** For the last lease to end, to be looked at, and to be told to a hundred streams. */
const GRACE_ENDS_MS = (GRACE_SECONDS + 1.5) * 1_000;
const UNKNOWN_LINE = '{"error":"API keys cannot be checked any more."}';
const SERVES_AGAIN_MS = 20_000;

interface UnderFault {
  readonly streams: readonly TimedStream[];
  /** Of another key. */
  readonly spared: readonly TimedStream[];
  readonly random: () => number;
}

describe('e2e: a key is revoked while something is broken', function () {
  this.timeout(60_000);
  const admitted: string[] = [];
  let world: FaultWorld;

  before(async () => {
    let postgres: FaultWorld['postgres'] | undefined;
    const stack = await startStack({
      workers: WORKERS,
      env: { NZGW_TRUST_GRACE_SECONDS: String(GRACE_SECONDS) },
      ollama: {
        always: { tokens: 10_000, paceMs: PACE_MS },
        byModel: { [PROBE_MODEL]: { tokens: 1 } },
      },
      through: async (urls) => {
        postgres = await startFaultProxy(urls.databaseUrl);
        return { ...urls, databaseUrl: postgres.url };
      },
    });
    if (postgres === undefined) throw new Error('there is no proxy');
    world = { stack, postgres };
  });
  after(async () => {
    await world.stack.stop();
    await world.postgres.close();
  });

  for (const fault of listRevocationFaults()) {
    for (const { index, random } of rounds({ ci: 1, full: 50 })) {
      it(`${fault.name}: nobody passes after a second, and no stream for long (round ${index})`, () =>
        run(fault, random));
    }
  }

  it('leaves ledger, audit and Redis in agreement', () => checkLedger(world.stack, { admitted }));

  async function run(fault: RevocationFault, random: () => number): Promise<void> {
    const { stack } = world;
    const [caller, other] = [await stack.makeCaller(), await stack.makeCaller()];
    const clients = await openWorkerClients(stack.gateway, caller.key, { workers: WORKERS });
    const streams = await open(caller, STREAMS);
    const spared = await open(other, OTHERS);
    const watch = watchKey([stack.gateway.url], caller, clients);
    try {
      await untilNewest(watch, 200, 'the key to be in use on every worker');
      await waitForPhase(random);
      const revokedAtMs = await revokeUnder(fault, caller, { streams, spared, random });
      await untilServed(other);
      await untilNewest(watch, 401, 'every worker to refuse the key');
      await watch.stop();
      expectRefused(fault, watch, revokedAtMs);
    } finally {
      // What one round leaves behind would slow the next one down.
      await watch.stop();
      for (const { leave } of [...streams, ...spared]) leave();
      for (const client of clients) client.close();
    }
  }

  /** Begins and ends the fault; the streams are to end meanwhile. The time of the revocation. */
  async function revokeUnder(
    fault: RevocationFault,
    caller: MadeKey,
    { streams, spared, random }: UnderFault,
  ): Promise<number> {
    try {
      await breakAndRevoke(fault, caller, random);
      const revokedAtMs = await readRevokedAt(world.stack.database, caller);
      const endMs = revokedAtMs + (fault.reached ? IN_FORCE_MS : GRACE_ENDS_MS);
      await until(() => systemClock.wallMs() > endMs, { withinMs: 10_000, what: 'the time' });
      await expectEnded(fault, streams, revokedAtMs);
      if (fault.reached) await expectUntouched(spared);
      return revokedAtMs;
    } finally {
      await fault.end(world);
    }
  }

  /** The fault before may be over for one worker sooner than for another. */
  async function open(caller: MadeKey, count: number): Promise<readonly TimedStream[]> {
    const streams: TimedStream[] = [];
    await until(
      async () => {
        const missing = count - streams.length;
        const opened = await openStreams([world.stack.gateway.url], caller, missing);
        streams.push(...opened.filter(({ reply }) => reply.status === 200));
        return streams.length === count;
      },
      { withinMs: SERVES_AGAIN_MS, what: `${count} streams` },
    );
    admitted.push(...streams.map(({ reply }) => reply.requestId));
    return streams;
  }

  /** It breaks a part of a poll before the revocation, or in the moment in which that is written. */
  async function breakAndRevoke(
    fault: RevocationFault,
    { keyId }: MadeKey,
    random: () => number,
  ): Promise<void> {
    const revoke = () =>
      world.stack.database.query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
    if (random() < 0.5) {
      await fault.begin(world);
      await waitForPhase(random);
      await revoke();
    } else {
      await Promise.all([revoke(), fault.begin(world)]);
    }
  }

  /** Each worker makes its own way back to a store. */
  async function untilServed({ key }: MadeKey): Promise<void> {
    const { url } = world.stack.gateway;
    await until(
      async () => {
        const asked = Array.from({ length: 3 * WORKERS }, () => askAdmission(url, key));
        return (await Promise.all(asked)).every(({ status }) => status === 200);
      },
      { withinMs: SERVES_AGAIN_MS, what: 'another key to be served again' },
    );
  }
});

/** Each worker answered so last, and so did whoever takes a new connection. */
async function untilNewest({ probes }: KeyWatch, status: number, what: string): Promise<void> {
  const from = probes.length;
  await until(
    () => {
      const newest = new Map(probes.slice(from).map((probe) => [probe.pid, probe.status]));
      return newest.size === WORKERS + 1 && [...newest.values()].every((one) => one === status);
    },
    { withinMs: SERVES_AGAIN_MS, what },
  );
}

function expectRefused(fault: RevocationFault, { probes }: KeyWatch, revokedAtMs: number): void {
  const refused = fault.mayRefuse ? [401, 503] : [401];
  const seen = probes.filter(({ status }) => status !== 200 && !refused.includes(status));
  expect(seen, 'other answers').to.deep.equal([]);
  const late = probes.filter(({ sentAtMs }) => sentAtMs >= revokedAtMs + IN_FORCE_MS);
  expect(late).to.not.deep.equal([]);
  expect(
    late.filter(({ status }) => !refused.includes(status)),
    'answers later than a second after the commit',
  ).to.deep.equal([]);
}

/** Where the primary reaches Postgres, as ever; else for want of knowledge, at the latest. */
async function expectEnded(
  { reached }: RevocationFault,
  streams: readonly TimedStream[],
  revokedAtMs: number,
): Promise<void> {
  const ends = await Promise.all(streams.map((stream) => stream.ended));
  const lastMs = Math.max(...ends.map(({ atMs }) => atMs - revokedAtMs));
  expect(lastMs, 'the last byte').to.be.at.most(reached ? IN_FORCE_MS : GRACE_ENDS_MS);
  expect(ends.every(({ whole }) => whole)).to.equal(true);
  for (const { reply } of streams) {
    expect(reply.lines().at(-1)).to.be.oneOf(
      reached ? [REVOKED_LINE] : [REVOKED_LINE, UNKNOWN_LINE],
    );
  }
}

async function expectUntouched(streams: readonly TimedStream[]): Promise<void> {
  const lines = streams.map(({ reply }) => reply.lines().length);
  await until(
    () => streams.every(({ reply }, n) => reply.lines().length > (lines[n] ?? Infinity) + 1),
    { withinMs: 3_000, what: "another key's streams to go on" },
  );
}
