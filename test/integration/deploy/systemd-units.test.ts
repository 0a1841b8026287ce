import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from '../../../lib/root.ts';
import { findSystemdAnalyze } from '../../support/find-systemd-analyze.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';

const UNITS = fileURLToPath(new URL('deploy/systemd/', ROOT));
/** SPEC §15: at most 1.5. systemd counts in tenths. */
const MOST_EXPOSED = 15;
const TARGETS = ['sysinit', 'basic', 'shutdown', 'network-online', 'network-pre'];
const PROGRAMS = ['opt/nzgw/bin/node', 'usr/bin/kill', 'usr/sbin/nft', 'usr/bin/ollama'];

interface Verdict {
  readonly code: number;
  readonly text: string;
}

const run = promisify(execFile);
// A test that cannot be made is not there: nothing is ever skipped.
const analyze = await findSystemdAnalyze();

function ask(...args: readonly string[]): Promise<Verdict> {
  return run(analyze ?? '', args).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, text: stdout + stderr };
    },
  );
}

/** A system of as much as the units name: their own files, empty targets, programs that do nothing. */
async function makeSystem(root: string): Promise<string> {
  const folder = join(root, 'etc/systemd/system');
  await cp(UNITS, folder, { recursive: true });
  for (const name of TARGETS) await writeFile(join(folder, `${name}.target`), '[Unit]\n');
  const ollama = '[Service]\nExecStart=/usr/bin/ollama serve\n';
  await writeFile(join(folder, 'ollama.service'), ollama);
  for (const program of PROGRAMS) {
    await mkdir(dirname(join(root, program)), { recursive: true });
    await writeFile(join(root, program), '#!/bin/sh\n');
    await chmod(join(root, program), 0o755);
  }
  await symlink('usr/bin', join(root, 'bin'));
  return folder;
}

if (analyze !== undefined) {
  describe('deploy: the units as systemd reads them', function () {
    this.timeout(60_000);
    let system: TemporaryDirectory;
    let folder: string;

    beforeEach(async () => {
      system = await makeTemporaryDirectory('units');
      folder = await makeSystem(system.path);
    });
    afterEach(() => system.remove());

    const verify = (unit: string): Promise<Verdict> =>
      ask('verify', '--man=no', `--root=${system.path}`, unit);

    it('finds no fault in any of them, and would find one', async () => {
      for (const unit of ['nzgw.service', 'nzgw-firewall.service', 'ollama.service']) {
        expect(await verify(unit), unit).to.deep.equal({ code: 0, text: '' });
      }
      const file = join(folder, 'nzgw.service');
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replace('NoExecPaths=', 'NoExecPath='));
      expect((await verify('nzgw.service')).text).to.include("Unknown key 'NoExecPath'");
    });

    it('exposes the gateway by 1.5 at most, and would not be content with a bare unit', async () => {
      const security = (): Promise<Verdict> =>
        ask(
          'security',
          '--no-pager',
          '--offline=true',
          `--threshold=${MOST_EXPOSED}`,
          join(folder, 'nzgw.service'),
        );
      const verdict = await security();
      expect(verdict.code, verdict.text).to.equal(0);
      const [, exposure] = /exposure level for nzgw\.service: ([\d.]+)/.exec(verdict.text) ?? [];
      expect(Number(exposure))
        .to.be.above(0)
        .and.at.most(MOST_EXPOSED / 10);
      const text = await readFile(join(folder, 'nzgw.service'), 'utf8');
      const bare = text.replaceAll(/^(Protect|Private|Restrict|SystemCall)\w+=.*$/gm, '');
      await writeFile(join(folder, 'nzgw.service'), bare);
      expect((await security()).code).to.not.equal(0);
    });
  });
}
