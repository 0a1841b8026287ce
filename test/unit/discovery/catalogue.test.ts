import { expect } from 'chai';
import { openCatalogue } from '../../../lib/discovery/catalogue.ts';
import type { ModelsHead, UpstreamModels } from '../../../lib/shared/records.ts';
import { modelEntry } from './samples.ts';

const LIBRARY = 'registry.ollama.ai/library';

/** Shared memory as it stands: what a test sets is what the next read finds. */
class Memory {
  head: ModelsHead | undefined;
  readonly bodies = new Map<number, UpstreamModels>();
  nowMs = 1_000_000;
  decoded = 0;

  put(version: number, ...polledAgoMs: readonly number[]): void {
    const upstreams = polledAgoMs.map((agoMs, upstream) => ({
      upstream,
      polledAtMs: this.nowMs - agoMs,
      ollamaVersion: `0.${10 - upstream}.0`,
    }));
    this.head = { version, upstreams };
  }

  list(upstream: number, ...names: readonly string[]): void {
    this.bodies.set(upstream, { models: names.map((name) => modelEntry(name)), running: [] });
  }

  open() {
    return openCatalogue({
      reader: {
        readModelsHead: () => this.head,
        readUpstreamModels: (upstream) => {
          this.decoded++;
          return this.bodies.get(upstream);
        },
        readShow: (upstream, key) => (key.endsWith('/gone:1') ? undefined : { upstream, key }),
      },
      clock: { monotonicMs: () => this.nowMs },
      maxAgeMs: 120_000,
    });
  }
}

describe('discovery/catalogue', () => {
  it('offers nothing before the first snapshot', () => {
    const catalogue = new Memory().open();
    expect(catalogue.current()).to.equal(undefined);
    expect(catalogue.isFresh()).to.equal(false);
  });

  it('trusts a snapshot up to its last moment and not beyond', () => {
    const memory = new Memory();
    memory.list(0, 'a:1');
    memory.put(1, 120_000);
    const catalogue = memory.open();
    expect(catalogue.isFresh()).to.equal(true);
    memory.nowMs += 1;
    expect(catalogue.isFresh()).to.equal(false);
    memory.put(1, 0);
    expect(catalogue.current()?.find(`${LIBRARY}/a:1`)?.upstreams).to.deep.equal([0]);
  });

  it('finds by canonical name, and nothing else', () => {
    const memory = new Memory();
    memory.list(0, 'A:1');
    memory.put(1, 0);
    const models = memory.open().current();
    expect(models?.find(`${LIBRARY}/a:1`)?.model.name).to.equal('A:1');
    for (const name of ['a:1', 'A:1', `${LIBRARY}/b:1`, '', '__proto__']) {
      expect(models?.find(name)).to.equal(undefined);
    }
  });

  it('has a changed set in force with the next use, and decodes once a version', () => {
    const memory = new Memory();
    memory.list(0, 'a:1');
    memory.put(1, 0);
    const catalogue = memory.open();
    const first = catalogue.current();
    memory.put(1, 0);
    expect(catalogue.current()).to.equal(first);
    expect(memory.decoded).to.equal(1);

    memory.list(0, 'b:1');
    memory.put(2, 0);
    expect(catalogue.current()?.find(`${LIBRARY}/a:1`)).to.equal(undefined);
    expect(catalogue.current()?.find(`${LIBRARY}/b:1`)?.upstreams).to.deep.equal([0]);
    expect(memory.decoded).to.equal(2);
  });

  it('counts only upstreams whose snapshot is young, and takes them back when polled again', () => {
    const memory = new Memory();
    memory.list(0, 'a:1', 'b:1');
    memory.list(1, 'a:1');
    memory.put(1, 0, 0);
    const catalogue = memory.open();
    expect(catalogue.current()?.find(`${LIBRARY}/a:1`)?.upstreams).to.deep.equal([0, 1]);

    memory.put(1, 120_001, 0);
    expect(catalogue.current()?.find(`${LIBRARY}/a:1`)?.upstreams).to.deep.equal([1]);
    expect(catalogue.current()?.find(`${LIBRARY}/b:1`)?.upstreams).to.deep.equal([]);
    expect(catalogue.current()?.models.map(({ name }) => name)).to.deep.equal(['a:1']);

    memory.put(1, 0, 0);
    expect(catalogue.current()?.find(`${LIBRARY}/b:1`)?.upstreams).to.deep.equal([0]);
    expect(memory.decoded).to.equal(2);
  });

  it('tells the lowest version of the fresh upstreams, because all of them have that', () => {
    const memory = new Memory();
    memory.put(1, 0, 0, 120_001);
    expect(memory.open().current()?.ollamaVersion).to.equal('0.9.0');
  });

  it('offers nothing of an upstream whose list is missing', () => {
    const memory = new Memory();
    memory.put(1, 0);
    expect(memory.open().current()?.models).to.deep.equal([]);
  });

  it('reads a show from an upstream that has the model now', () => {
    const memory = new Memory();
    memory.list(0, 'a:1', 'b:1');
    memory.list(1, 'a:1');
    memory.put(1, 120_001, 0);
    const models = memory.open().current();
    const key = `${LIBRARY}/a:1`;
    expect(models?.readShow(key)).to.deep.equal({ upstream: 1, key });
    expect(models?.readShow(`${LIBRARY}/b:1`)).to.equal(undefined);
    expect(models?.readShow('x')).to.equal(undefined);
  });
});
