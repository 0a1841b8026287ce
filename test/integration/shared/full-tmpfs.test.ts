import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { makeFullDirectory, ROOM_BYTES } from '../../support/full-directory.ts';
import type { FullDirectory } from '../../support/full-directory.ts';
import { startReader, startWriter } from '../../support/shared-processes.ts';
import type { LineChild } from '../../support/shared-processes.ts';
import { makeId } from '../../support/shared-rows.ts';

interface Reply {
  readonly failed?: string;
}

describe('shared/no room left', function () {
  this.timeout(60_000);
  let directory: FullDirectory;
  let children: LineChild[];

  beforeEach(() => {
    directory = makeFullDirectory();
    children = [];
  });

  afterEach(async () => {
    for (const child of children) await child.kill();
    directory.remove();
  });

  async function openWriter(): Promise<LineChild & { readonly path: string }> {
    const writer = await startWriter(directory.path, directory.prefix);
    children.push(writer);
    return writer;
  }

  function openReader(path: string): LineChild {
    const reader = startReader(path);
    children.push(reader);
    return reader;
  }

  async function has(reader: LineChild, key: number): Promise<boolean> {
    return (await reader.ask(`key ${makeId(key)}`)) !== null;
  }

  /** Adds keys, 50 in a write, until that fails; gives the number of the first that failed. */
  async function fill(writer: LineChild, from: number): Promise<number> {
    for (let first = from; first < from + 50_000; first += 50) {
      const { failed } = (await writer.ask(`add ${first} 50 1`)) as Reply;
      if (failed === undefined) continue;
      // A write that comes to its end half-way; ENOSPC or EFBIG where it ended with a page.
      expect(failed).to.be.oneOf(['EIO', 'ENOSPC', 'EFBIG']);
      return first;
    }
    throw new Error('it never filled');
  }

  it('is an error of the write that needs it, and readers see all before that write, none of it', async () => {
    const writer = await openWriter();
    expect(await writer.ask('load 500 1')).to.deep.equal({ done: 'load' });
    expect(await writer.ask('trust 7')).to.deep.equal({ done: 'trust' });
    const reader = openReader(writer.path);
    expect(await has(reader, 0)).to.equal(true);

    const first = await fill(writer, 500);
    expect(statSync(writer.path).size).to.be.within(ROOM_BYTES / 2, ROOM_BYTES);
    expect(await has(reader, first - 1)).to.equal(true);
    expect(await has(reader, first - 50)).to.equal(true);
    for (let key = first; key < first + 50; key += 1) {
      expect(await has(reader, key)).to.equal(false);
    }
    expect(await reader.ask('trust')).to.deep.equal({ deadlineMs: 7, runId: 'child' });
    // A worker that starts now reads the same: it needs no room.
    const second = openReader(writer.path);
    expect(await has(second, first - 1)).to.equal(true);
    expect(await has(second, first)).to.equal(false);
  });

  it('does no harm to what is written once there is room again', async () => {
    const writer = await openWriter();
    await writer.ask('load 500 1');
    const reader = openReader(writer.path);
    const first = await fill(writer, 500);
    directory.makeRoom(writer.pid);
    for (let version = 2; version < 30; version += 1) {
      expect(await writer.ask(`load ${first + 50} ${version}`)).to.deep.equal({ done: 'load' });
      await writer.ask('check');
      for (const key of [0, version * 11, first - 1, first + 49]) {
        expect(await reader.ask(`key ${makeId(key)}`)).to.include({ version });
      }
    }
  });

  // None at all; too little for the table of readers; enough for that and not for the tables.
  for (const leftBytes of [0, 16_384, 72 * 1_024]) {
    it(`is an error at the start, not a signal, and leaves no file behind: ${leftBytes} bytes`, () => {
      const prefix = directory.leaveRoom(leftBytes);
      const { stdout, status } = spawnSync(
        'env',
        [...prefix, process.execPath, '--input-type=module', '-e', CREATE, directory.path],
        { encoding: 'utf8' },
      );
      expect({ stdout, status }).to.deep.equal({ stdout: 'failed', status: 0 });
      expect(readdirSync(directory.path).filter((name) => name.includes('lmdb'))).to.deep.equal([]);
    });
  }
});

const WRITER = new URL('../../../lib/shared/shared-writer.ts', import.meta.url).href;
const CREATE = `
  import { createShared } from ${JSON.stringify(WRITER)};
  let writer;
  try { writer = createShared(process.argv[1]); } catch (error) {
    if (!['EIO', 'ENOSPC', 'EFBIG'].includes(error.code)) throw error;
  }
  process.stdout.write(writer ? 'made' : 'failed');
  await writer?.close();`;
