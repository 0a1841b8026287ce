import { expect } from 'chai';
import { ROOT } from '../../../lib/root.ts';

interface Range {
  readonly from: number;
  readonly to: number;
}
interface Slice extends Range {
  readonly ms: number;
  readonly failed: number;
}
interface Progress {
  readonly commit: string;
  readonly seed: number;
  readonly total?: number;
  readonly slices: readonly Slice[];
}
type Identity = Pick<Progress, 'commit' | 'seed'>;

const plan = (await import(new URL('bin/bootstrap/matrix-plan.mjs', ROOT).href)) as {
  resume: (kept: Progress | undefined, identity: Identity) => Progress;
  nextSlice: (progress: Progress) => Range | undefined;
  addSlice: (progress: Progress, slice: Slice, counts: readonly number[]) => Progress | undefined;
  formatLine: (run: string, progress: Progress) => string;
  nameRun: (file: string, topology?: string) => string;
  belongsToMatrix: (file: { path: string; text: string }) => boolean;
};

const IDENTITY: Identity = { commit: 'abc', seed: 7 };
const MINUTE_MS = 60_000;

/** Runs a file of so many rounds, each of which takes so long, until it is done or `slices` are. */
function follow(
  start: Progress,
  { total, setupMs, roundMs }: { total: number; setupMs: number; roundMs: number },
  slices = Infinity,
): Progress {
  let progress = start;
  for (let done = 0; done < slices; done += 1) {
    const slice = plan.nextSlice(progress);
    if (slice === undefined) return progress;
    const ms = setupMs + roundMs * (slice.to - slice.from);
    progress = plan.addSlice(progress, { ...slice, ms, failed: 0 }, [3, total]) ?? progress;
  }
  return progress;
}

describe('bootstrap/matrix-plan', () => {
  const begin = (): Progress => plan.resume(undefined, IDENTITY);

  it('cuts every round into exactly one slice, none of them longer than 20 minutes', () => {
    for (const roundMs of [5, 900, 40_000, 11 * MINUTE_MS]) {
      const { slices } = follow(begin(), { total: 10_000, setupMs: 4_000, roundMs }, 60_000);
      let next = 0;
      for (const { from, to, ms } of slices) {
        expect(from).to.equal(next);
        expect(to).to.be.above(from);
        expect(ms).to.be.below(20 * MINUTE_MS);
        next = to;
      }
      expect(next).to.equal(10_000);
    }
  });

  it('begins with one round, and has few slices where rounds are quick', () => {
    const { slices } = follow(begin(), { total: 10_000, setupMs: 4_000, roundMs: 50 });
    expect(slices[0]).to.include({ from: 0, to: 1 });
    expect(slices.length).to.be.below(6);
  });

  it('takes half of a slice that was ended by its deadline', () => {
    const late: Slice = { from: 1, to: 101, ms: 20 * MINUTE_MS, failed: 1 };
    const first: Slice = { from: 0, to: 1, ms: 1, failed: 0 };
    const progress = { ...IDENTITY, total: 500, slices: [first, late] };
    expect(plan.nextSlice(progress)).to.deep.equal({ from: 101, to: 151 });
  });

  it('goes on where it stopped, for the same commit and seed, and begins anew for others', () => {
    const pace = { total: 1_000, setupMs: 1_000, roundMs: 5_000 };
    const half = follow(begin(), pace, 3);
    const kept = JSON.parse(JSON.stringify(half)) as Progress;
    expect(follow(plan.resume(kept, IDENTITY), pace)).to.deep.equal(follow(begin(), pace));
    for (const other of [
      { ...IDENTITY, commit: 'def' },
      { ...IDENTITY, seed: 8 },
    ]) {
      expect(plan.resume(undefined, other)).to.deep.equal({ ...other, slices: [] });
      expect(plan.resume(kept, other)).to.deep.equal({ ...other, slices: [] });
    }
  });

  it('is done after one slice with a file that never asks for rounds', () => {
    const slice: Slice = { from: 0, to: 1, ms: 5, failed: 0 };
    const done = plan.addSlice(begin(), slice, []);
    expect(done && plan.nextSlice(done)).to.equal(undefined);
  });

  it('takes it for no result when a file fails before its rounds, but later for a failure', () => {
    const failing: Slice = { from: 0, to: 1, ms: 5, failed: 1 };
    expect(plan.addSlice(begin(), failing, [])).to.equal(undefined);
    const known = plan.addSlice(begin(), failing, [50]);
    const later = known && plan.addSlice(known, { ...failing, from: 1, to: 50 }, []);
    expect(later?.total).to.equal(50);
    expect(later && plan.formatLine('test/a.test.ts', later)).to.equal(
      'abc\t7\ttest/a.test.ts\t50\t2\t0.0\n',
    );
  });

  it('writes minutes of all slices together', () => {
    const slices = [
      { from: 0, to: 1, ms: MINUTE_MS, failed: 0 },
      { from: 1, to: 20, ms: 90_000, failed: 0 },
    ];
    expect(plan.formatLine('a', { ...IDENTITY, total: 20, slices })).to.equal(
      'abc\t7\ta\t20\t0\t2.5\n',
    );
  });

  it('keeps what was run against a cluster apart from what was not', () => {
    expect(plan.nameRun('test/a.test.ts')).to.equal('test/a.test.ts');
    expect(plan.nameRun('test/a.test.ts', 'single')).to.equal('test/a.test.ts');
    expect(plan.nameRun('test/a.test.ts', 'cluster')).to.equal('test/a.test.ts@cluster');
  });

  it('knows the files that have more rounds in the matrix', () => {
    const belongs = (text: string, path = 'test/e2e/a.test.ts'): boolean =>
      plan.belongsToMatrix({ path, text });
    expect(belongs('for (const round of rounds({ ci: 3, full: 50 })) {')).to.equal(true);
    expect(belongs('const { runs, seed } = readRuns({ ci: 300, full: 10_000 });')).to.equal(true);
    expect(belongs(`if (process.env['NZGW_TEST_FULL'] === '1')`)).to.equal(true);
    expect(belongs(`{ NZGW_TEST_FULL: '1' }`)).to.equal(false);
    expect(belongs('surrounds(1)')).to.equal(false);
    expect(belongs('rounds({', 'test/unit/support/rounds.test.ts')).to.equal(false);
  });
});
