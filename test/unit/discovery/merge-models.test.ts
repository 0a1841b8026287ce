import { expect } from 'chai';
import { mergeModels } from '../../../lib/discovery/merge-models.ts';
import { listedModel, modelEntry } from './samples.ts';

const A = 'registry.ollama.ai/library/a:1';

function dated(name: string, modifiedAt: string) {
  return modelEntry(name, { listed: { name, modified_at: modifiedAt } });
}

describe('discovery/merge-models', () => {
  it('names every fresh upstream that has a model, in the order of OLLAMA_URL', () => {
    const body = { models: [modelEntry('a:1')], running: [] };
    const { grants } = mergeModels([
      { upstream: 0, fresh: true, body },
      { upstream: 1, fresh: false, body },
      { upstream: 2, fresh: true, body },
    ]);
    expect(grants.get(A)?.upstreams).to.deep.equal([0, 2]);
  });

  it('tells a model as the first upstream does, and bounds it by the largest', () => {
    const first = modelEntry('a:1', { digest: 'first', ownTextBytes: 3 });
    const second = modelEntry('a:1', { digest: 'second', ownTextBytes: 5, embedding: true });
    const { grants } = mergeModels([
      { upstream: 0, fresh: true, body: { models: [first], running: [] } },
      { upstream: 1, fresh: true, body: { models: [second], running: [] } },
    ]);
    expect(grants.get(A)?.model).to.deep.equal({ ...first, ownTextBytes: 5, embedding: true });
  });

  it('remembers the models of silent upstreams, without listing them', () => {
    const running = [listedModel('b:1').listed];
    const silent = { models: [modelEntry('a:1'), modelEntry('b:1')], running };
    const merged = mergeModels([
      { upstream: 0, fresh: false, body: silent },
      { upstream: 1, fresh: true, body: { models: [modelEntry('a:1')], running: [] } },
    ]);
    expect(merged.models.map(({ name }) => name)).to.deep.equal(['a:1']);
    expect(merged.running).to.deep.equal([]);
    expect(merged.grants.get(A)?.upstreams).to.deep.equal([1]);
    expect(merged.grants.get('registry.ollama.ai/library/b:1')?.upstreams).to.deep.equal([]);
  });

  it('lists the newest first, and keeps an upstream’s own order where times say nothing', () => {
    const { models } = mergeModels([
      {
        upstream: 0,
        fresh: true,
        body: {
          models: [
            dated('old:1', '2025-01-01T00:00:00.000000001Z'),
            modelEntry('undated:1'),
            modelEntry('undated:2'),
          ],
          running: [],
        },
      },
      {
        upstream: 1,
        fresh: true,
        body: { models: [dated('new:1', '2026-01-01T00:00:00+02:00')], running: [] },
      },
    ]);
    const names = models.map(({ name }) => name);
    expect(names).to.deep.equal(['new:1', 'old:1', 'undated:1', 'undated:2']);
  });

  it('lists each running model once, the one that stays longest first', () => {
    const entry = (name: string, expires_at: string) => ({ name, expires_at });
    const { running } = mergeModels([
      {
        upstream: 0,
        fresh: true,
        body: { models: [], running: [entry('a:1', '2026-01-01T00:00:00Z'), entry('b', '')] },
      },
      {
        upstream: 1,
        fresh: true,
        body: { models: [], running: [entry('A:1', '2318-01-01T00:00:00Z'), entry('no name', '')] },
      },
    ]);
    expect(running.map(({ key, listed }) => [key, listed['expires_at']])).to.deep.equal([
      [A, '2318-01-01T00:00:00Z'],
      ['registry.ollama.ai/library/b:latest', ''],
      ['', ''],
    ]);
  });
});
