import { expect } from 'chai';
import { chooseModels } from '../../../lib/discovery/choose-models.ts';
import { readShows } from '../../../lib/discovery/read-shows.ts';
import { listedModel } from './samples.ts';

function candidates(...names: readonly string[]) {
  return chooseModels(
    names.map((name) => listedModel(name)),
    false,
  );
}

describe('discovery/read-shows', () => {
  const clock = { monotonicMs: () => 0 };

  it('asks once for each new digest, under the upstream’s own name', async () => {
    const asked: string[] = [];
    const ask = (name: string) => {
      asked.push(name);
      return Promise.resolve({ system: name });
    };
    const [a, b] = candidates('A', 'b');
    const alias = { ...listedModel('alias'), digest: listedModel('b').digest };
    const parts = { ask, clock, budgetMs: 10 };
    const twice = [...candidates('A', 'b'), ...chooseModels([alias], false)];

    const shows = await readShows({ ...parts, candidates: twice, known: new Map() });
    expect(asked).to.deep.equal(['A', 'b']);
    expect(shows.size).to.equal(2);

    const again = await readShows({ ...parts, candidates: candidates('b', 'c'), known: shows });
    expect(asked).to.deep.equal(['A', 'b', 'c']);
    expect([...again.keys()]).to.deep.equal([b?.model.digest, listedModel('c').digest]);
    expect(again.has(a?.model.digest ?? '')).to.equal(false);
  });

  it('never has more than four questions open', async () => {
    let open = 0;
    let most = 0;
    const ask = async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return {};
    };
    const names = Array.from({ length: 30 }, (_, index) => `m${index}`);
    const parts = { candidates: candidates(...names), known: new Map(), ask, clock, budgetMs: 10 };
    expect((await readShows(parts)).size).to.equal(30);
    expect(most).to.equal(4);
  });

  it('goes on when one fails, and leaves that one out', async () => {
    const ask = (name: string) =>
      name === 'b' ? Promise.reject(new Error('no')) : Promise.resolve(name === 'c' ? 'text' : {});
    const parts = { candidates: candidates('a', 'b', 'c', 'd'), known: new Map(), ask, clock };
    const shows = await readShows({ ...parts, budgetMs: 10 });
    expect([...shows.keys()]).to.deep.equal(['d-a', 'd-d']);
  });

  it('begins no question after its time, so that a slow upstream cannot hold up the poll', async () => {
    let nowMs = 0;
    const ask = () => Promise.resolve((nowMs += 10) && {});
    const names = Array.from({ length: 100 }, (_, index) => `m${index}`);
    const slow = { monotonicMs: () => nowMs };
    const parts = { candidates: candidates(...names), known: new Map(), ask, clock: slow };
    expect((await readShows({ ...parts, budgetMs: 100 })).size).to.be.within(10, 15);
  });
});
