import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { openShared } from '../../../lib/shared/shared-reader.ts';
import { createShared } from '../../../lib/shared/shared-writer.ts';
import { rounds } from '../../support/rounds.ts';
import { makeSharedDirectory, startReader, startWriter } from '../../support/shared-processes.ts';
import { makeId } from '../../support/shared-rows.ts';

const KEYS = 500;
/** Some tens of loads; each is a write of some milliseconds, so most kills fall into one. */
const LONGEST_MS = 150;

describe('shared/a writer killed while it writes', function () {
  this.timeout(20_000);

  for (const { index, seed, random } of rounds({ ci: 20, full: 200 })) {
    it(`leaves a state that is whole, which no later primary finds, round ${index}, seed ${seed}`, async () => {
      const directory = makeSharedDirectory();
      const writer = await startWriter(directory.path);
      const worker = startReader(writer.path);
      const reader = openShared(writer.path);
      try {
        await worker.ask(`spin ${KEYS}`);
        await writer.ask(`churn ${KEYS}`);
        // Not for something: the kill is to come at any moment.
        await wait(random() * LONGEST_MS);
        await writer.kill();

        reader.refresh();
        const version = reader.readKey(makeId(0))?.version ?? 0;
        expect(version).to.be.at.least(1);
        for (let key = 0; key < KEYS; key += 1) {
          const row = reader.readKey(makeId(key));
          expect(row).to.include({ publicId: makeId(key), version });
          expect(reader.readTenant(row?.tenantId ?? '')?.version).to.equal(version);
        }
        expect(reader.readGeneration()).to.equal(version);
        // Trust is the write after a load.
        expect(reader.readTrust()?.deadlineMs).to.be.within(version - 1, version);
        // A worker in its last seconds still reads, and sees the same.
        expect(await worker.ask(`key ${makeId(KEYS - 1)}`)).to.include({ version });

        const next = createShared(directory.path);
        expect(existsSync(writer.path)).to.equal(false);
        expect(existsSync(`${writer.path}-lock`)).to.equal(false);
        const fresh = openShared(next.path);
        expect(fresh.readTrust()).to.equal(undefined);
        expect(fresh.readKey(makeId(0))).to.equal(undefined);
        await fresh.close();
        await next.close();
      } finally {
        await worker.kill();
        await writer.kill();
        await reader.close();
        directory.remove();
      }
    });
  }
});
