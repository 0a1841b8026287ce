import { expect } from 'chai';
import { chooseModels } from '../../../lib/discovery/choose-models.ts';
import { ModelsBoard } from '../../../lib/discovery/models-board.ts';
import type { Finding } from '../../../lib/discovery/models-board.ts';
import { toSnapshotText } from '../../../lib/discovery/snapshot-copy.ts';
import { makeSnapshot } from '../../../lib/discovery/upstream-snapshot.ts';
import type { ModelsHead } from '../../../lib/shared/records.ts';
import { listedModel } from './samples.ts';

interface Published {
  readonly head: ModelsHead;
  readonly bodies: readonly number[];
  readonly shows: readonly string[];
}

class Board extends ModelsBoard {
  readonly published: Published[];
  readonly announced: { count: number };
  readonly fault: { on: boolean };

  constructor() {
    const published: Published[] = [];
    const announced = { count: 0 };
    const fault = { on: false };
    super({
      publish: (head, bodies, shows) => {
        if (fault.on) throw new Error('no memory');
        const names = [...shows.values()].flatMap((byKey) => [...byKey.keys()]);
        published.push({
          head,
          bodies: [...bodies.keys()],
          shows: names.map((key) => key.split('/').at(-1) ?? ''),
        });
      },
      announce: () => announced.count++,
    });
    this.published = published;
    this.announced = announced;
    this.fault = fault;
  }
}

function find(names: Readonly<Record<string, string>>, polledAtMs = 0): Finding {
  const listed = Object.entries(names).map(([name, digest]) => ({ ...listedModel(name), digest }));
  const candidates = chooseModels(listed, false);
  const shows = new Map(
    listed.map(({ digest }) => [
      digest,
      { shown: { parameters: digest }, ownTextBytes: 0, embedding: false },
    ]),
  );
  const snapshot = makeSnapshot({ ollamaVersion: '1', candidates, shows, running: [] });
  return { snapshot, text: toSnapshotText(snapshot), polledAtMs };
}

describe('discovery/models-board', () => {
  it('publishes the age of every finding, and its body only when it differs', () => {
    const board = new Board();
    board.put(1, find({ a: 'x' }, 10));
    board.put(1, find({ a: 'x' }, 20));
    board.put(0, find({ a: 'x' }, 30));
    expect(board.published.map(({ bodies }) => bodies)).to.deep.equal([[1], [], [0]]);
    expect(board.published.map(({ head }) => head.version)).to.deep.equal([1, 1, 2]);
    expect(board.published.at(-1)?.head.upstreams).to.deep.equal([
      { upstream: 0, polledAtMs: 30, ollamaVersion: '1' },
      { upstream: 1, polledAtMs: 20, ollamaVersion: '1' },
    ]);
    expect(board.announced.count).to.equal(2);
  });

  it('publishes the shows that are new or differ, and those that come back', () => {
    const board = new Board();
    board.put(0, find({ a: 'x', b: 'y' }));
    board.put(0, find({ a: 'z', b: 'y' }));
    board.put(0, find({ a: 'z' }));
    board.put(0, find({ a: 'z', b: 'y' }));
    expect(board.published.map(({ shows }) => shows)).to.deep.equal([
      ['a:latest', 'b:latest'],
      ['a:latest'],
      [],
      ['b:latest'],
    ]);
  });

  it('keeps nothing of what it could not publish, so that the next finding is published whole', () => {
    const board = new Board();
    board.fault.on = true;
    expect(() => {
      board.put(0, find({ a: 'x' }));
    }).to.throw();
    expect(board.has(0)).to.equal(false);
    expect(board.version).to.equal(0);
    expect(board.announced.count).to.equal(0);

    board.fault.on = false;
    board.put(0, find({ a: 'x' }));
    expect(board.published[0]?.bodies).to.deep.equal([0]);
    expect(board.has(0)).to.equal(true);
  });

  it('describes what it last found, and that it found nothing yet', () => {
    const board = new Board();
    expect(board.describe(0)).to.deep.equal({ polledAtMs: null, ollamaVersion: null, models: 0 });
    board.put(0, find({ a: 'x', b: 'y' }, 7));
    expect(board.describe(0)).to.deep.equal({ polledAtMs: 7, ollamaVersion: '1', models: 2 });
  });
});
