import { expect } from 'chai';
import { hashKey } from '../../lib/auth/hash-key.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { completeKey } from '../support/complete-key.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const LINES = 300;
const PACE_MS = 10;
const FLOOD_PER_SECOND = 200;
const SECONDS = 3;

/** So dear that a flood that reached Argon2 would be answered in half a minute, not in three seconds. */
const DEAR_COST = { memoryKib: 262_144, passes: 3, lanes: 1 };

describe('e2e: two hundred wrong secrets a second for known ids', function () {
  this.timeout(60_000);
  let stack: Stack;
  let streaming: MadeKey;
  let victims: readonly MadeKey[];
  let verificationMs: number;

  before(async () => {
    stack = await startStack({ workers: 2 });
    streaming = await stack.makeCaller();
    const startedMs = systemClock.monotonicMs();
    const hash = await hashKey(makeKey().key, DEAR_COST);
    verificationMs = systemClock.monotonicMs() - startedMs;
    const tenantId = await stack.makeTenant();
    victims = await Promise.all(
      Array.from({ length: 10 }, () => stack.makeKey(tenantId, { hash })),
    );
  });
  after(() => stack.stop());

  /** The right id with another secret, and a checksum that fits: only the tag can tell. */
  function forge(victim: MadeKey): string {
    return completeKey(victim.publicId, makeKey().key);
  }

  async function flood(statuses: Map<number, number>): Promise<void> {
    const started = systemClock.monotonicMs();
    const sent: Promise<void>[] = [];
    const total = FLOOD_PER_SECOND * SECONDS;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(
          total,
          ((systemClock.monotonicMs() - started) * FLOOD_PER_SECOND) / 1_000,
        );
        while (sent.length < due) sent.push(attack(sent.length, statuses));
        if (sent.length < total) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    await Promise.all(sent);
  }

  async function attack(n: number, statuses: Map<number, number>): Promise<void> {
    const victim = victims[n % victims.length];
    if (!victim) return;
    const response = await post(`${stack.gateway.url}/api/chat`, forge(victim), {});
    await response.text();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  }

  async function openStream(url: string): Promise<Response> {
    stack.ollama.next({ tokens: LINES, paceMs: PACE_MS });
    return post(`${url}/api/chat`, streaming.key, {
      model: 'llama3:latest',
      messages: [{ role: 'user', content: 'hello' }],
      stream: true,
    });
  }

  /** The longest time between two parts of a stream, ms. */
  async function findWorstGapMs(response: Response): Promise<number> {
    const reader = response.body?.getReader();
    let last: number | undefined;
    let worst = 0;
    while ((await reader?.read())?.done === false) {
      const now = systemClock.monotonicMs();
      if (last !== undefined) worst = Math.max(worst, now - last);
      last = now;
    }
    return worst;
  }

  it('no running stream of another tenant shows a gap above 50 ms that the same stream without a gateway does not, for Argon2 is not asked (counted in test/security/wrong-secret-flood)', async () => {
    const statuses = new Map<number, number>();
    const through = findWorstGapMs(await openStream(stack.gateway.url));
    // What it shows is the machine's, not the gateway's: all of them share two cores here.
    const direct = findWorstGapMs(await openStream(stack.ollama.url));
    const startedMs = systemClock.monotonicMs();
    const flooded = flood(statuses).then(() => systemClock.monotonicMs() - startedMs);
    const [worstMs, worstDirectMs] = await Promise.all([through, direct]);
    const floodedMs = await flooded;

    expect([...statuses.keys()].sort()).to.deep.equal([401, 429]);
    expect(statuses.get(401)).to.be.within(60, 80);
    // Two workers would have had thirty verifications each.
    expect(floodedMs).to.be.below(SECONDS * 1_000 + 10 * verificationMs);
    expect(worstMs - worstDirectMs).to.be.below(50);
  });

  it('keys that were verified pass from the very address that is being limited', async () => {
    const response = await post(`${stack.gateway.url}/api/chat`, streaming.key, {
      model: 'llama3',
      messages: [{ role: 'user', content: 'hello' }],
      stream: false,
    });
    expect(response.status).to.equal(200);
    await response.text();
  });
});
