import { expect } from 'chai';
import { makeRowCache } from '../../../lib/shared/row-cache.ts';

describe('shared/row-cache', () => {
  let texts: Map<string, string>;
  let reads: number;
  const readText = (key: string): string | undefined => {
    reads += 1;
    return texts.get(key);
  };

  beforeEach(() => {
    texts = new Map([['a', '{"version":1}']]);
    reads = 0;
  });

  it('decodes a row once while the directory is the same', () => {
    const read = makeRowCache<{ version: number }>(readText);
    const row = read('a', 1);
    expect(row).to.deep.equal({ version: 1 });
    expect(read('a', 1)).to.equal(row);
    expect(reads).to.equal(1);
  });

  it('reads it again in every other generation, so that a change cannot be missed', () => {
    const read = makeRowCache<{ version: number }>(readText);
    read('a', 1);
    texts.set('a', '{"version":2}');
    expect(read('a', 2)).to.deep.equal({ version: 2 });
    texts.delete('a');
    expect(read('a', 3)).to.equal(undefined);
    texts.set('a', '{"version":4}');
    expect(read('a', 3)).to.deep.equal({ version: 4 });
  });

  it('keeps so many and no more', () => {
    const read = makeRowCache<{ version: number }>(readText, 2);
    for (const key of ['a', 'b', 'c']) {
      texts.set(key, '{"version":1}');
      read(key, 1);
    }
    read('c', 1);
    expect(reads).to.equal(3);
    read('a', 1);
    expect(reads).to.equal(4);
  });
});
