import { expect } from 'chai';
import { statSync } from 'node:fs';
import { createShared } from '../../../lib/shared/shared-writer.ts';
import type { SharedWriter } from '../../../lib/shared/shared-writer.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { makeSharedDirectory, startReader } from '../../support/shared-processes.ts';
import { makeFullKey, makeFullKeys, makeTenants } from '../../support/shared-rows.ts';
import { until } from '../../support/until.ts';

const KEYS = 100_000;
const MB = 1024 * 1024;

interface Found {
  readonly reads: number;
  readonly versions: number;
  readonly wrong: string;
}

describe('shared/a hundred thousand keys', function () {
  this.timeout(120_000);
  let directory: ReturnType<typeof makeSharedDirectory>;
  let writer: SharedWriter;

  beforeEach(() => {
    directory = makeSharedDirectory();
    writer = createShared(directory.path);
  });

  afterEach(async () => {
    await writer.close();
    directory.remove();
  });

  function load(version: number): number {
    const keys = makeFullKeys(KEYS, version);
    const tenants = makeTenants(version);
    const startedAtMs = systemClock.monotonicMs();
    writer.replaceDirectory(keys, tenants);
    return systemClock.monotonicMs() - startedAtMs;
  }

  it('take less than a kilobyte each, and not much longer than ten loads of a tenth of them', () => {
    const startedAtMs = systemClock.monotonicMs();
    for (let n = 0; n < 10; n += 1) {
      writer.replaceDirectory(makeFullKeys(KEYS / 10, n), []);
    }
    const smallMs = systemClock.monotonicMs() - startedAtMs;
    const wholeMs = load(100);
    expect(wholeMs).to.be.below(Math.max(3 * smallMs, 5_000));
    expect(statSync(writer.path).size).to.be.below(KEYS * 1_024);
  });

  it('cost no memory when they are loaded again as they are: a reconnect writes what changed', () => {
    load(1);
    const { size } = statSync(writer.path);
    for (let n = 0; n < 3; n += 1) load(1);
    expect(statSync(writer.path).size).to.be.at.most(size + MB);
    const keys = makeFullKeys(KEYS, 1).with(7, makeFullKey(7, 2));
    writer.replaceDirectory(keys, makeTenants(1));
    expect(statSync(writer.path).size).to.be.at.most(size + MB);
  });

  it('are seen whole by whoever reads meanwhile, the old ones or the new ones, never some of each', async () => {
    load(1);
    const readers = [startReader(writer.path), startReader(writer.path)];
    try {
      for (const reader of readers) await reader.ask(`spin ${KEYS} whole`);
      for (let version = 2; version <= 5; version += 1) {
        load(version);
        writer.checkReaders();
        for (const reader of readers) {
          await until(async () => ((await reader.ask('found')) as Found).versions >= version, {
            withinMs: 5_000,
            what: 'the new rows to be seen',
          });
        }
      }
      for (const reader of readers) {
        const found = (await reader.ask('found')) as Found;
        expect(found.wrong).to.equal('');
        expect(found.reads).to.be.above(50);
      }
      // The old rows and the new, and a third set for those who were still reading.
      expect(statSync(writer.path).size).to.be.below(4 * KEYS * 1_024);
    } finally {
      for (const reader of readers) await reader.kill();
    }
  });
});
