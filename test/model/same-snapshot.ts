import { expect } from 'chai';
import type { KeyState, Snapshot } from './snapshot.ts';

/** A run takes well below this of real time, by which Redis's own TTLs go on. */
const SLACK_MS = 15_000;

const NOTHING: KeyState = { value: undefined, ttlMs: null };

/** Keys that may stay for ever. */
const LASTING = /^(life|events|lapse|fills|lease:.*|hold:.*)$/;

/** Fails unless Redis is as the model has it, times to live included. */
export function expectSame(real: Snapshot, model: Snapshot, what: string): void {
  for (const name of new Set([...real.keys(), ...model.keys()])) {
    const is = real.get(name) ?? NOTHING;
    const should = model.get(name) ?? NOTHING;
    if (JSON.stringify(is.value) !== JSON.stringify(should.value)) {
      expect(is.value, `${name} after ${what}`).to.deep.equal(should.value);
    }
    expectSameTtl(is.ttlMs, should.ttlMs, `time to live of ${name} after ${what}`);
    if (is.ttlMs === null && !LASTING.test(name)) expect.fail(`${name} stays after ${what}`);
  }
}

function expectSameTtl(ttlMs: number | null, shouldMs: number | null, what: string): void {
  if (ttlMs === null || shouldMs === null) {
    if (ttlMs !== shouldMs) expect(ttlMs, what).to.equal(shouldMs);
  } else if (Math.abs(ttlMs - shouldMs) > SLACK_MS) {
    expect(ttlMs, what).to.be.closeTo(shouldMs, SLACK_MS);
  }
}

/** Fails if one of the keys that `isKept` names has changed. */
export function expectUnchanged(
  before: Snapshot,
  after: Snapshot,
  { isKept, what }: { readonly isKept: (name: string) => boolean; readonly what: string },
): void {
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    if (!isKept(name)) continue;
    const [was, is] = [before.get(name)?.value, after.get(name)?.value];
    if (JSON.stringify(was) !== JSON.stringify(is)) {
      expect(is, `${name} changed by ${what}`).to.deep.equal(was);
    }
  }
}
