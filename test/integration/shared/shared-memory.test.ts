import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openShared } from '../../../lib/shared/shared-reader.ts';
import type { SharedReader } from '../../../lib/shared/shared-reader.ts';
import { createShared } from '../../../lib/shared/shared-writer.ts';
import type { SharedWriter } from '../../../lib/shared/shared-writer.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { makeKeyRow, makeTenantRow } from '../../support/rows.ts';
import { startReader } from '../../support/shared-processes.ts';
import { makeId } from '../../support/shared-rows.ts';

describe('shared memory', function () {
  this.timeout(20_000);
  let directory: string;
  let writer: SharedWriter;
  let reader: SharedReader;

  beforeEach(() => {
    directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'nzgw-test-'));
    writer = createShared(directory);
    reader = openShared(writer.path);
  });

  afterEach(async () => {
    await reader.close();
    await writer.close();
    rmSync(directory, { recursive: true });
  });

  it('is readable by nobody else, and gone when it is closed', async () => {
    for (const file of readdirSync(directory)) {
      expect(statSync(join(directory, file)).mode & 0o777).to.equal(0o600);
    }
    const second = createShared(directory);
    expect(readdirSync(directory)).to.have.length(4);
    await second.close();
    expect(readdirSync(directory)).to.have.length(2);
  });

  it('removes what a killed primary left, and nothing of a living one or of others', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    const left = `nzgw-${dead.pid ?? 0}-${'0'.repeat(32)}.lmdb`;
    for (const name of [left, `${left}-lock`, 'other.lmdb', `nzgw-1-${'0'.repeat(32)}.lmdb`]) {
      writeFileSync(join(directory, name), '');
    }
    await createShared(directory).close();
    expect(
      readdirSync(directory).filter((name) => !writer.path.includes(name.slice(0, 40))),
    ).to.have.members(['other.lmdb', `nzgw-1-${'0'.repeat(32)}.lmdb`]);
  });

  it('knows nothing before the first write', () => {
    expect(reader.readTrust()).to.equal(undefined);
    expect(reader.readGeneration()).to.equal(0);
    expect(reader.readKey('AAAAAAAAAAAA')).to.equal(undefined);
    expect(reader.readTenant('t')).to.equal(undefined);
    expect(reader.readModelsHead()).to.equal(undefined);
    expect(reader.readUpstreamModels(0)).to.equal(undefined);
    expect(reader.readShow(0, 'm')).to.equal(undefined);
  });

  it('gives rows back as they were written, and removes those that a whole load lacks', () => {
    const key = makeKeyRow({ allowedModels: ['a:latest'], expiresAtMs: 1 });
    const other = makeKeyRow({ publicId: 'BBBBBBBBBBBB' });
    writer.replaceDirectory([key, other], [makeTenantRow()]);
    reader.refresh();
    expect(reader.readKey(key.publicId)).to.deep.equal(key);
    expect(reader.readTenant(makeTenantRow().tenantId)).to.deep.equal(makeTenantRow());
    expect(reader.readGeneration()).to.equal(1);

    writer.replaceDirectory([other], []);
    reader.refresh();
    expect(reader.readKey(key.publicId)).to.equal(undefined);
    expect(reader.readKey('BBBBBBBBBBBB')).to.deep.equal(other);
    expect(reader.readTenant(makeTenantRow().tenantId)).to.equal(undefined);
    expect(reader.readGeneration()).to.equal(2);
  });

  it('tells which keys a load ends, since nobody else knows that they were alive', () => {
    const revoked = (publicId: string) => makeKeyRow({ publicId, status: 'revoked' });
    const [a, b, c] = ['AAAAAAAAAAAA', 'BBBBBBBBBBBB', 'CCCCCCCCCCCC'] as const;
    expect(
      writer.replaceDirectory([makeKeyRow(), makeKeyRow({ publicId: c }), revoked(b)], []),
    ).to.deep.equal([]);
    const load = [revoked(a), revoked(b), makeKeyRow({ publicId: c })];
    expect(writer.replaceDirectory(load, [])).to.deep.equal([revoked(a)]);
    expect(writer.replaceDirectory(load, [])).to.deep.equal([]);
  });

  it('applies changes without touching other rows', () => {
    writer.replaceDirectory([makeKeyRow(), makeKeyRow({ publicId: 'BBBBBBBBBBBB' })], []);
    writer.applyChanges({
      keys: [makeKeyRow({ version: 2, status: 'revoked' })],
      tenants: [makeTenantRow({ version: 5 })],
    });
    reader.refresh();
    expect(reader.readKey('AAAAAAAAAAAA')).to.include({ version: 2, status: 'revoked' });
    expect(reader.readTenant(makeTenantRow().tenantId)?.version).to.equal(5);
    expect(reader.readKey('BBBBBBBBBBBB')?.version).to.equal(1);
    expect(reader.readGeneration()).to.equal(2);
  });

  it('changes nothing when a load fails half way', () => {
    writer.replaceDirectory([makeKeyRow()], [makeTenantRow()]);
    function* broken() {
      yield makeKeyRow({ version: 9 });
      throw new Error('cut');
    }
    expect(() => {
      writer.replaceDirectory(broken(), []);
    }).to.throw('cut');
    reader.refresh();
    expect(reader.readKey('AAAAAAAAAAAA')?.version).to.equal(1);
    expect(reader.readGeneration()).to.equal(1);
  });

  it('keeps models, and drops the shows of models that are gone', () => {
    const entry = {
      name: 'a',
      digest: 'd',
      listed: { size: 1 },
      ownTextBytes: 3,
      embedding: false,
    };
    const a = { ...entry, key: 'a:latest' };
    const b = { ...entry, key: 'b:latest' };
    const head = (version: number) => ({
      version,
      upstreams: [{ upstream: 0, polledAtMs: 1, ollamaVersion: '0.1' }],
    });
    for (const upstream of [0, 1]) {
      writer.putShow(upstream, 'a:latest', { details: upstream });
      writer.putShow(upstream, 'b:latest', { details: upstream });
    }
    writer.putModels(
      head(1),
      new Map([
        [0, { models: [a, b], running: [] }],
        [1, { models: [b], running: [] }],
      ]),
    );
    writer.putModels(head(2), new Map([[0, { models: [a], running: [{ name: 'a' }] }]]));
    reader.refresh();
    expect(reader.readModelsHead()).to.deep.equal(head(2));
    expect(reader.readUpstreamModels(0)).to.deep.equal({ models: [a], running: [{ name: 'a' }] });
    expect(reader.readUpstreamModels(1)?.models).to.deep.equal([b]);
    expect(reader.readShow(0, 'a:latest')).to.deep.equal({ details: 0 });
    expect(reader.readShow(0, 'b:latest')).to.equal(undefined);
    expect(reader.readShow(1, 'a:latest')).to.equal(undefined);
    expect(reader.readShow(1, 'b:latest')).to.deep.equal({ details: 1 });
  });

  it('is seen by another process at once after each write', async () => {
    const child = startReader(writer.path);
    for (let round = 1; round <= 200; round += 1) {
      const trust = { deadlineMs: systemClock.monotonicMs() + round, runId: 'r' };
      writer.putTrust(trust);
      expect(await child.ask('trust')).to.deep.equal(trust);
    }
    writer.replaceDirectory([makeKeyRow()], []);
    expect(await child.ask('key AAAAAAAAAAAA')).to.deep.equal(makeKeyRow());
    await child.kill();
  });

  it('grows far past its first size under readers that had it open when small', async () => {
    const child = startReader(writer.path);
    expect(await child.ask('generation')).to.equal(0);
    const before = statSync(writer.path).size;
    const count = 20_000;
    const rows = Array.from({ length: count }, (_, index) =>
      makeKeyRow({ publicId: makeId(index), version: index }),
    );
    writer.replaceDirectory(rows, [makeTenantRow()]);
    expect(statSync(writer.path).size).to.be.above(before * 20);
    for (const index of [0, 1, 9_999, count - 1]) {
      expect(await child.ask(`key ${makeId(index)}`)).to.deep.equal(rows[index]);
    }
    reader.refresh();
    expect(reader.readKey(makeId(count - 1))?.version).to.equal(count - 1);
    await child.kill();
  });

  it('does not grow without end when a reader was killed with its snapshot open', async () => {
    const child = startReader(writer.path);
    await child.ask('hold');
    await child.kill();
    expect(writer.checkReaders()).to.be.at.least(1);
    writer.putTrust({ deadlineMs: 1, runId: 'r' });
    const before = statSync(writer.path).size;
    for (let round = 0; round < 3_000; round += 1) {
      writer.putTrust({ deadlineMs: round, runId: 'r' });
    }
    expect(statSync(writer.path).size).to.be.at.most(before + 256 * 1024);
  });

  it('hands a row out again while the directory is the same, and anew after any change of it', () => {
    writer.replaceDirectory([makeKeyRow()], [makeTenantRow()]);
    reader.refresh();
    const before = reader.readKey('AAAAAAAAAAAA');
    writer.putTrust({ deadlineMs: 1, runId: 'r' });
    reader.refresh();
    expect(reader.readKey('AAAAAAAAAAAA')).to.equal(before);
    writer.applyChanges({ keys: [], tenants: [makeTenantRow({ version: 2 })] });
    reader.refresh();
    expect(reader.readKey('AAAAAAAAAAAA')).to.deep.equal(before);
    expect(reader.readTenant(makeTenantRow().tenantId)?.version).to.equal(2);
    writer.applyChanges({ keys: [makeKeyRow({ version: 3 })], tenants: [] });
    reader.refresh();
    expect(reader.readKey('AAAAAAAAAAAA')?.version).to.equal(3);
  });

  it('shows nothing newer of the directory before the next refresh', async () => {
    writer.replaceDirectory([makeKeyRow()], [makeTenantRow()]);
    reader.refresh();
    expect(reader.readKey('AAAAAAAAAAAA')?.version).to.equal(1);
    writer.applyChanges({ keys: [makeKeyRow({ version: 2 })], tenants: [] });
    // lmdb gives its snapshot up by itself when the turn is over.
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(reader.readKey('AAAAAAAAAAAA')?.version).to.equal(1);
    expect(reader.readGeneration()).to.equal(1);
    reader.refresh();
    expect(reader.readKey('AAAAAAAAAAAA')?.version).to.equal(2);
  });

  it('has room for the readers of the largest host, and those that replace them', async () => {
    const children = Array.from({ length: 3 }, () => startReader(writer.path));
    await Promise.all(children.map((child) => child.ask('trust')));
    // 64 bytes a reader; never sparse, or a page of it would be missing when the tmpfs is full.
    const { size, blocks } = statSync(`${writer.path}-lock`);
    expect(size / 64).to.be.above(2 * 64);
    expect(blocks * 512).to.be.at.least(size);
    await Promise.all(children.map((child) => child.kill()));
  });

  it('refuses to open what is not there', () => {
    expect(() => openShared(join(directory, 'none.lmdb'))).to.throw();
    expect(() => createShared(join(directory, 'none'))).to.throw();
  });
});
