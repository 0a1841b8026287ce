import { expect } from 'chai';
import { statSync } from 'node:fs';
import { openShared } from '../../../lib/shared/shared-reader.ts';
import { createShared } from '../../../lib/shared/shared-writer.ts';
import type { SharedWriter } from '../../../lib/shared/shared-writer.ts';
import { SharedFullError } from '../../../lib/shared/size-guard.ts';
import { makeSharedDirectory, startReader } from '../../support/shared-processes.ts';
import type { LineChild } from '../../support/shared-processes.ts';
import { makeFullKey, makeFullKeys, makeTenants } from '../../support/shared-rows.ts';

const KEYS = 10_000;
const MB = 1024 * 1024;
/** A silent worker is noticed and killed within 6 s; four polls a second until then, and one more. */
const POLLS = 25;
/** A second full of changes: 2,000. */
const CHANGES_A_POLL = 500;

describe('shared/a reader stopped inside a transaction', function () {
  this.timeout(60_000);
  let directory: ReturnType<typeof makeSharedDirectory>;
  let writer: SharedWriter;
  let reader: LineChild;
  let version: number;

  async function open(options = {}): Promise<void> {
    writer = createShared(directory.path, options);
    writer.replaceDirectory(makeFullKeys(KEYS, 1), makeTenants(1));
    version = 1;
    reader = startReader(writer.path);
    await reader.ask('hold');
    reader.signal('SIGSTOP');
  }

  beforeEach(() => {
    directory = makeSharedDirectory();
  });

  afterEach(async () => {
    await reader.kill();
    await writer.close();
    directory.remove();
  });

  /** What the primary does with each poll: changes anywhere in the directory, then trust. */
  function poll(): void {
    version += 1;
    const keys = Array.from({ length: CHANGES_A_POLL }, (_, n) =>
      makeFullKey((n * 7_919 + version * 104_729) % KEYS, version),
    );
    writer.applyChanges({ keys, tenants: [] });
    writer.putTrust({ deadlineMs: version, runId: 'r' });
  }

  it('pins little until it is killed, and nothing after that', async () => {
    await open();
    const before = statSync(writer.path).size;
    for (let n = 0; n < POLLS; n += 1) {
      poll();
      // It is stopped, not dead: its slot stays its own.
      expect(writer.checkReaders()).to.equal(0);
    }
    const pinned = statSync(writer.path).size - before;
    expect(pinned, 'what it pins').to.be.within(10 * MB, POLLS * CHANGES_A_POLL * 4_096 * 1.5);

    await reader.kill();
    expect(writer.checkReaders()).to.be.at.least(1);
    const after = statSync(writer.path).size;
    for (let n = 0; n < 4 * POLLS; n += 1) poll();
    expect(statSync(writer.path).size).to.be.at.most(after + MB);
  });

  it('cannot make the file grow past its bound: the write fails, and changes nothing', async () => {
    await open({ spareBytes: 8 * MB });
    const live = statSync(writer.path).size;
    const last = openShared(writer.path);
    try {
      expect(() => {
        for (let n = 0; n < 1_000; n += 1) poll();
      }).to.throw(SharedFullError);
      // One write more than the bound, at the most.
      expect(statSync(writer.path).size).to.be.within(8 * MB, 4 * live + 8 * MB + 4 * MB);

      last.refresh();
      const { deadlineMs = 0 } = last.readTrust() ?? {};
      expect(deadlineMs).to.be.within(version - 1, version);
      // Trust too: workers believe nothing any more when its deadline is over.
      expect(() => {
        writer.putTrust({ deadlineMs: Infinity, runId: 'r' });
      }).to.throw(SharedFullError);
      last.refresh();
      expect(last.readTrust()?.deadlineMs).to.equal(deadlineMs);
    } finally {
      await last.close();
    }
  });
});
