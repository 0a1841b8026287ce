import { expect } from 'chai';
import { HeldRequests } from '../../../lib/settlement/held-requests.ts';
import type { LifeHeard } from '../../../lib/settlement/kept-items.ts';
import { Renewal } from '../../../lib/settlement/renewal.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import { FarLedger } from '../../support/far-ledger.ts';
import { sampleCall, sampleHold, sampleLease } from '../../support/sample-request.ts';
import { until } from '../../support/until.ts';

const EVERY_MS = 60;

class World {
  readonly ledger = new FarLedger();
  readonly held = new HeldRequests();
  readonly heard: LifeHeard[] = [];
  waiting = false;
  readonly renewal = new Renewal({
    ledger: this.ledger,
    held: this.held,
    ring: {
      hear: (_shard, heard) => void this.heard.push(heard),
      hasAny: () => this.waiting,
    },
    clock: systemClock,
    everyMs: EVERY_MS,
  });

  hold(id: string, shard = 0): void {
    this.held.add(sampleLease({ hold: sampleHold({ id, shard }) }), sampleCall(), startTally());
    this.renewal.begin(shard);
  }

  /** Waits until so many renewals were sent. */
  renewals(count: number): Promise<boolean> {
    return until(() => this.ledger.renewals.length >= count, {
      withinMs: 2_000,
      what: `${count} renewals`,
    });
  }
}

const quiet = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('settlement/renewal', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => {
    world.renewal.close();
  });

  it('renews at once while it knows nothing of the life, then in its time, until nothing is held', async () => {
    world.hold('a');
    world.hold('b');
    await world.renewals(1);
    const firstAtMs = systemClock.monotonicMs();
    await world.renewals(3);
    expect(systemClock.monotonicMs() - firstAtMs).to.be.within(EVERY_MS, 600);
    expect(world.ledger.renewals[0]).to.deep.equal(['a', 'b']);
    expect(world.heard[0]).to.include({ lifeId: 'life-1', current: true });
    world.held.remove(0, 'a');
    world.held.remove(0, 'b');
    await quiet(2 * EVERY_MS);
    const count = world.ledger.renewals.length;
    await quiet(2 * EVERY_MS);
    expect(world.ledger.renewals.length).to.equal(count);

    world.hold('c');
    await quiet(EVERY_MS / 2);
    expect(world.ledger.renewals.length, 'not before its time').to.equal(count);
    await world.renewals(count + 1);
  });

  it('asks with an empty list while anything waits or is kept', async () => {
    world.waiting = true;
    world.renewal.begin(3);
    await world.renewals(2);
    expect(world.ledger.renewals).to.deep.include([]);
  });

  it('sends holds by the hundred, one after the other', async () => {
    for (let number = 0; number < 250; number += 1) world.hold(`${number}`);
    await world.renewals(3);
    expect(world.ledger.renewals.slice(0, 3).map((ids) => ids.length)).to.deep.equal([
      100, 100, 50,
    ]);
  });

  it('holds again what Redis does not know, but not what was settled meanwhile', async () => {
    world.hold('a');
    world.hold('b');
    world.ledger.reply = { ...world.ledger.reply, unknown: ['a', 'b'] };
    world.ledger.onRenew = () => {
      world.held.remove(0, 'b');
    };
    await world.renewals(2);
    expect(new Set(world.ledger.reheld.map(({ hold }) => hold.id))).to.deep.equal(new Set(['a']));
  });

  it('tries again 300 ms after a failure, of the renewal or of what followed', async () => {
    world.ledger.away = true;
    world.ledger.allowed = 1;
    world.ledger.reply = { ...world.ledger.reply, unknown: ['a'] };
    world.hold('a');
    await until(() => world.ledger.calls.includes('rehold'), {
      withinMs: 1_000,
      what: 'the hold to be made again',
    });
    expect(world.ledger.reheld).to.have.length(0);
    const failedAtMs = systemClock.monotonicMs();
    world.ledger.away = false;
    await until(() => world.ledger.reheld.length > 0, { withinMs: 2_000, what: 'a second try' });
    expect(systemClock.monotonicMs() - failedAtMs).to.be.within(280, 900);
  });

  it('renews at once when Redis is back, also where a renewal is still on its way', async () => {
    world.hold('a');
    await world.renewals(1);
    await quiet(5);
    world.renewal.renewNow();
    expect(world.ledger.renewals, 'in the same turn').to.have.length(2);
    await quiet(5);

    const answer = Promise.withResolvers<undefined>();
    world.ledger.onRenew = () => answer.promise;
    world.renewal.renewNow();
    world.renewal.renewNow();
    expect(world.ledger.renewals, 'never two at once').to.have.length(3);
    world.ledger.onRenew = () => undefined;
    answer.resolve(undefined);
    await quiet(5);
    expect(world.ledger.renewals).to.have.length(4);
  });

  it('has nothing to renew for a shard at rest, and nothing at all once it is closed', async () => {
    world.hold('a');
    await world.renewals(1);
    world.held.remove(0, 'a');
    await quiet(2 * EVERY_MS);
    const { length } = world.ledger.renewals;
    world.renewal.renewNow();
    expect(world.ledger.renewals).to.have.length(length);

    world.hold('b');
    world.renewal.close();
    world.hold('c', 1);
    await quiet(2 * EVERY_MS);
    expect(world.ledger.renewals).to.have.length(length);
  });

  it('a renewal that is answered after the end is the last', async () => {
    const answer = Promise.withResolvers<undefined>();
    world.ledger.onRenew = () => answer.promise;
    world.hold('a');
    await world.renewals(1);
    world.renewal.renewNow();
    world.renewal.close();
    answer.resolve(undefined);
    await quiet(2 * EVERY_MS);
    expect(world.ledger.renewals).to.have.length(1);
  });
});
