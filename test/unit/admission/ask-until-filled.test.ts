import { expect } from 'chai';
import { askUntilFilled } from '../../../lib/admission/ask-until-filled.ts';
import { systemClock } from '../../../lib/time/clock.ts';

interface Asked {
  readonly answer: { readonly kind: string } | undefined;
  readonly leftMs: readonly number[];
  readonly fills: number;
  readonly tookMs: number;
}

async function ask(kinds: readonly string[], timeoutMs: number): Promise<Asked> {
  const leftMs: number[] = [];
  let fills = 0;
  const startedAtMs = systemClock.monotonicMs();
  const parts = { clock: systemClock, timeoutMs, onFill: () => void (fills += 1) };
  const answer = await askUntilFilled(parts, (left) => {
    leftMs.push(left);
    return Promise.resolve({ kind: kinds[leftMs.length - 1] ?? 'fill' });
  });
  return { answer, leftMs, fills, tookMs: systemClock.monotonicMs() - startedAtMs };
}

describe('admission/ask-until-filled', () => {
  it('takes the first answer that is one', async () => {
    const { answer, leftMs, fills } = await ask(['ok'], 1_000);
    expect(answer).to.deep.equal({ kind: 'ok' });
    expect(leftMs).to.deep.equal([1_000]);
    expect(fills).to.equal(0);
  });

  it('asks again in 50 ms, with the time that is left, and tells the owner each time', async () => {
    const { answer, leftMs, fills } = await ask(['fill', 'fill', 'life'], 1_000);
    expect(answer).to.deep.equal({ kind: 'life' });
    expect(leftMs).to.have.length(3);
    expect(leftMs[2]).to.be.within(700, 902);
    expect(fills).to.equal(2);
  });

  it('gives up in time, and never asks with so little left that the answer must be late', async () => {
    const { answer, leftMs, tookMs } = await ask([], 220);
    expect(answer).to.equal(undefined);
    expect(leftMs.length).to.be.within(2, 4);
    for (const left of leftMs) expect(left).to.be.at.least(45);
    expect(tookMs).to.be.below(220);
  });
});
