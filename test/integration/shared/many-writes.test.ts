import { expect } from 'chai';
import { statSync } from 'node:fs';
import { createShared } from '../../../lib/shared/shared-writer.ts';
import type { SharedWriter } from '../../../lib/shared/shared-writer.ts';
import { rounds } from '../../support/rounds.ts';
import { makeSharedDirectory, startReader } from '../../support/shared-processes.ts';
import type { LineChild } from '../../support/shared-processes.ts';
import {
  makeFullKey,
  makeFullKeys,
  makeFullTenant,
  makeTenants,
} from '../../support/shared-rows.ts';

const WRITES = process.env['NZGW_TEST_FULL'] === '1' ? 1_000_000 : 100_000;
const KEYS = 1_000;
const READERS = 2;
/** Four trust writes a second and as many changes make 40 in the 5 s between two checks. */
const WRITES_A_CHECK = 40;
/** In a step every reader has taken a new snapshot, whatever else the machine does. */
const WRITES_A_STEP = 1_000;
const STEPS_A_KILL = 2;
/**
 * The rows take 1 MB. A write takes some six pages of 4 KB anew, and gives them back when no snapshot
 * is older: 24 MB a step, and as much for those of the step before. Without reuse: gigabytes.
 */
const BOUND_BYTES = 64 * 1024 * 1024;

interface Found {
  readonly reads: number;
  readonly wrong: string;
}

describe('shared/many writes', function () {
  this.timeout(1_100_000);

  for (const { random, seed } of rounds({ ci: 1, full: 1 })) {
    it(`stays below 64 MB in ${WRITES} writes while readers are killed, seed ${seed}`, async () => {
      const directory = makeSharedDirectory();
      const writer = createShared(directory.path);
      const readers: LineChild[] = [];
      try {
        writer.replaceDirectory(makeFullKeys(KEYS, 1), makeTenants(1));
        for (let n = 0; n < READERS; n += 1) readers.push(await openReader(writer.path));
        await writeAll(writer, readers, random);
      } finally {
        for (const reader of readers) await reader.kill();
        await writer.close();
        directory.remove();
      }
    });
  }
});

async function writeAll(
  writer: SharedWriter,
  readers: LineChild[],
  random: () => number,
): Promise<void> {
  let largest = 0;
  let freed = 0;
  for (let done = 1; done <= WRITES; done += 1) {
    write(writer, done, random);
    if (done % WRITES_A_CHECK === 0) {
      freed += writer.checkReaders();
      const { size, blocks } = statSync(writer.path);
      largest = Math.max(largest, size, blocks * 512);
    }
    if (done % WRITES_A_STEP !== 0) continue;
    for (const reader of readers) {
      expect(((await reader.ask('found')) as Found).wrong).to.equal('');
    }
    if (done % (STEPS_A_KILL * WRITES_A_STEP) !== 0) continue;
    const which = Math.floor(random() * READERS);
    await readers[which]?.kill();
    // As the primary does when a worker has ended.
    freed += writer.checkReaders();
    readers[which] = await openReader(writer.path);
  }
  expect(largest).to.be.below(BOUND_BYTES);
  expect(freed, 'slots of the killed').to.be.at.least(WRITES / WRITES_A_STEP / STEPS_A_KILL);
}

async function openReader(path: string): Promise<LineChild> {
  const reader = startReader(path);
  await reader.ask(`spin ${KEYS}`);
  return reader;
}

/** Trust and changes in turn; a change is of a few keys, and now and then of a tenant. */
function write(writer: SharedWriter, done: number, random: () => number): void {
  if (done % 2 === 0) {
    writer.putTrust({ deadlineMs: done, runId: '00000000-0000-4000-8000-000000000001' });
    return;
  }
  const keys = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
    makeFullKey(Math.floor(random() * KEYS), done),
  );
  const tenants = random() < 0.1 ? [makeFullTenant(Math.floor(random() * 100), done)] : [];
  writer.applyChanges({ keys, tenants });
}
