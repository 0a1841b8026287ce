import { expect } from 'chai';
import { chooseModels } from '../../../lib/discovery/choose-models.ts';
import { readCopyText, toCopyText, toSnapshotText } from '../../../lib/discovery/snapshot-copy.ts';
import { makeSnapshot } from '../../../lib/discovery/upstream-snapshot.ts';
import { listedModel } from './samples.ts';

const SHOW = { shown: { capabilities: ['completion'] }, ownTextBytes: 7, embedding: true };

function snapshotOf(...names: readonly string[]) {
  const candidates = chooseModels(
    names.map((name) => listedModel(name, { modified_at: '2026-01-01T00:00:00Z' })),
    true,
  );
  const shows = new Map(candidates.map(({ model }) => [model.digest, SHOW]));
  const running = names.map((name) => listedModel(name));
  return makeSnapshot({ ollamaVersion: '0.33.0', candidates, shows, running });
}

function edit(text: string, change: (copy: { snapshot: { models: object[] } }) => void): string {
  const copy = JSON.parse(text) as { snapshot: { models: object[] } };
  change(copy);
  return JSON.stringify(copy);
}

describe('discovery/snapshot-copy', () => {
  const snapshot = snapshotOf('A:8b', 'me/b', 'c:cloud');
  const text = toCopyText(toSnapshotText(snapshot), 12.3);

  it('gives back what was copied', () => {
    expect(readCopyText(text, true)).to.deep.equal({ sinceMs: 13, snapshot });
  });

  it('leaves out cloud models where they are not allowed, whoever made the copy', () => {
    const names = readCopyText(text, false)?.snapshot.models.map(({ entry }) => entry.name);
    expect(names).to.deep.equal(['A:8b', 'me/b']);
    const unmarked = edit(text, ({ snapshot: { models } }) => {
      models[0] = { ...models[0], cloud: undefined };
    });
    expect(readCopyText(unmarked, false)?.snapshot.models).to.have.length(1);
  });

  it('copies known fields alone, as from an upstream', () => {
    const poisoned = edit(text, ({ snapshot: { models } }) => {
      models[0] = { ...models[0], shown: { system: 'x', modelfile: 'x' }, more: 1 };
      models[1] = { ...models[1], listed: { name: 'a b', digest: 'd', path: '/x' } };
    });
    const read = readCopyText(poisoned, false);
    expect(read?.snapshot.models).to.have.length(1);
    expect(read?.snapshot.models[0]?.shown).to.deep.equal({ modified_at: '2026-01-01T00:00:00Z' });
  });

  it('leaves out models whose own text is not known, because no bound could be made', () => {
    for (const more of [
      { ownTextBytes: -1 },
      { ownTextBytes: '1' },
      { shown: null },
      { listed: 1 },
    ]) {
      const broken = edit(text, ({ snapshot: { models } }) => {
        models[0] = { ...models[0], ...more };
      });
      expect(readCopyText(broken, false)?.snapshot.models).to.have.length(1);
    }
  });

  it('knows what is no copy', () => {
    const whole = toSnapshotText(snapshot);
    const texts = [
      '',
      'x',
      'null',
      '[]',
      '{}',
      '{"sinceMs":1}',
      `{"snapshot":${whole}}`,
      `{"sinceMs":-1,"snapshot":${whole}}`,
      '{"sinceMs":1,"snapshot":{"version":"1","running":[]}}',
      '{"sinceMs":1,"snapshot":{"models":[],"running":[]}}',
      '{"sinceMs":1,"snapshot":{"version":"1","models":[],"running":1}}',
    ];
    for (const copy of texts) expect(readCopyText(copy, true), copy).to.equal(undefined);
  });
});
