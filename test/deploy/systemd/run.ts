import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../../lib/root.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import { readConsoleCommands } from '../../support/documents.ts';
import { addClone, boot, CLONE, installTools, makeDebian, runScript } from './debian.ts';
import type { Debian } from './debian.ts';
import { END } from './inside/record.ts';
import type { Seen } from './inside/record.ts';
import { addStandIn, ENABLE } from './stand-in.ts';

// node test/deploy/systemd/run.ts, as root: follows "systemd" and "Cut-over" of docs/DEPLOYMENT.md in a
// Debian 12 of its own, booted, and looks whether it does what it should. Exits with 0 if all was seen.

const BOOTED_MS = 900_000;
const SHOWN = 4_000;

function report({ check, ok, ms, detail }: Seen): void {
  const [first = ''] = detail.trim().split('\n');
  const seen = ok ? (first.startsWith('#') ? '' : first) : `\n${detail.slice(-SHOWN)}`;
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${check} (${(ms / 1_000).toFixed(1)} s) ${seen}\n`);
}

async function step(check: string, act: () => Promise<string>): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const detail = await act();
  report({ check, ok: true, ms: systemClock.monotonicMs() - startedMs, detail });
}

/** Sections that want the network of this machine: packages are fetched. @throws Error at a failure. */
async function prepare(debian: Debian): Promise<void> {
  const page = await readFile(new URL('docs/DEPLOYMENT.md', ROOT), 'utf8');
  const follow = async (heading: string): Promise<string> => {
    // A user's commands and root's, in the folder of the clone.
    const lines = readConsoleCommands(page, heading)
      .filter(({ notRun }) => notRun === undefined)
      .map(({ prompt, text }) =>
        prompt === '#' ? text : `runuser -u builder -- bash -euc ${quote(text)}`,
      );
    const { code, text } = await runScript(debian, [`cd ${CLONE}`, ...lines].join('\n'));
    if (code !== 0) throw new Error(`${heading}: ${code}\n${text.slice(-SHOWN)}`);
    return '';
  };
  await addClone(debian);
  await step('the document: packages', () => follow('### Packages'));
  await step('the document: a release, made with the Node of Debian', () =>
    follow('### A release'),
  );
  await step('the document: the package of Caddy', () => follow("### Caddy's package"));
  await addStandIn(debian.path);
  const { code, text } = await runScript(debian, ENABLE);
  if (code !== 0) throw new Error(text);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Boots it, and tells what was seen within. The console and the exit code say nothing of that. */
async function look(debian: Debian): Promise<boolean> {
  const out = await makeTemporaryDirectory('systemd-out');
  try {
    const binds = [`--bind=${out.path}:/mnt/out`, `--bind-ro=${fileURLToPath(ROOT)}:/mnt/repo`];
    const { text } = await boot(debian, binds, BOOTED_MS);
    const read = (name: string): Promise<string> =>
      readFile(join(out.path, name), 'utf8').catch(() => '');
    const lines = (await read('checks.jsonl')).split('\n').filter((line) => line !== '');
    const seen = lines.map((line) => JSON.parse(line) as Seen);
    const isWhole = seen.at(-1)?.check === END;
    seen.filter(({ check }) => check !== END).forEach(report);
    if (isWhole && seen.every(({ ok }) => ok)) return true;
    if (!isWhole) process.stdout.write('FAIL it was cut short\n');
    for (const part of [text, await read('output.txt'), await read('journal.txt')]) {
      process.stderr.write(`--- ${part.slice(-4 * SHOWN)}\n`);
    }
    return false;
  } finally {
    await out.remove();
  }
}

async function main(): Promise<boolean> {
  await step('the tools of this machine', () => installTools().then(() => ''));
  const debian = await makeDebian();
  try {
    await prepare(debian);
    return (await look(debian)) && (await look(debian));
  } finally {
    await debian.remove();
  }
}

process.exitCode = (await main()) ? 0 : 1;
