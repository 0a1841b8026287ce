import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRuns, readSeed, rounds } from '../../support/rounds.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';

/** Calls with these settings and no others of ours but the seed. */
function under<T>(settings: Readonly<Record<string, string>>, call: () => T): T {
  const before = { ...process.env };
  const names = ['NZGW_TEST_FULL', 'NZGW_TEST_ROUNDS', 'NZGW_TEST_ROUNDS_FILE'];
  for (const name of names) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, settings);
  try {
    return call();
  } finally {
    for (const name of names) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  }
}

describe('support/rounds', () => {
  it('gives each round a seed of its own, and the same seeds again within a run', () => {
    const first = rounds({ ci: 3, full: 3 });
    const second = rounds({ ci: 3, full: 3 });
    expect(new Set(first.map(({ seed }) => seed)).size).to.equal(3);
    expect(second.map(({ seed }) => seed)).to.deep.equal(first.map(({ seed }) => seed));
    expect(second[0]?.random()).to.equal(first[0]?.random());
  });

  it('draws numbers from 0 to below 1 that are spread over all of it', () => {
    const [round] = rounds({ ci: 1, full: 1 });
    const drawn = Array.from({ length: 1_000 }, () => round?.random() ?? NaN);
    for (const tenth of Array.from({ length: 10 }, (_, index) => index / 10)) {
      const within = drawn.filter((value) => value >= tenth && value < tenth + 0.1);
      expect(within.length, `from ${tenth}`).to.be.within(50, 150);
    }
  });

  it('gives a slice the very rounds that it has in the whole', () => {
    const times = { ci: 3, full: 50 };
    const whole = under({ NZGW_TEST_FULL: '1' }, () => rounds(times));
    const slices = ['0-7', '7-49', '49-80'].flatMap((slice) =>
      under({ NZGW_TEST_FULL: '1', NZGW_TEST_ROUNDS: slice }, () => rounds(times)),
    );
    expect(whole).to.have.length(50);
    const identify = ({ index, seed }: { index: number; seed: number }): unknown => [index, seed];
    expect(slices.map(identify)).to.deep.equal(whole.map(identify));
    expect(under({ NZGW_TEST_ROUNDS: '2-9' }, () => rounds(times))).to.have.length(1);
  });

  it('gives each slice of runs a seed of its own, and none behind the last', () => {
    const times = { ci: 300, full: 10_000 };
    expect(under({}, () => readRuns(times))).to.deep.equal({ runs: 300, seed: readSeed() });
    const [first, second, behind] = ['0-400', '400-10000', '10000-20000'].map((slice) =>
      under({ NZGW_TEST_FULL: '1', NZGW_TEST_ROUNDS: slice }, () => readRuns(times)),
    );
    expect(first).to.deep.equal({ runs: 400, seed: readSeed() });
    expect(second?.runs).to.equal(9_600);
    expect(second?.seed).not.to.equal(readSeed());
    expect(behind?.runs).to.equal(0);
  });

  it('refuses a slice that it does not understand, rather than to run nothing', () => {
    for (const slice of ['', '3', '3-', 'a-b']) {
      expect(() => under({ NZGW_TEST_ROUNDS: slice }, () => rounds({ ci: 1, full: 1 }))).to.throw(
        'FROM-TO',
      );
    }
  });

  it('tells who cuts the slices how many there are', async () => {
    const directory = await makeTemporaryDirectory('rounds');
    const file = join(directory.path, 'rounds');
    under({ NZGW_TEST_FULL: '1', NZGW_TEST_ROUNDS: '0-1', NZGW_TEST_ROUNDS_FILE: file }, () => {
      rounds({ ci: 3, full: 50 });
      readRuns({ ci: 3, full: 70 });
    });
    expect(await readFile(file, 'utf8')).to.equal('50\n70\n');
    await directory.remove();
  });
});
