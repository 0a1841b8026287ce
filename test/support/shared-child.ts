import { openShared } from '../../lib/shared/shared-reader.ts';
import { makeId } from './shared-rows.ts';

/** Readers that never paused would leave a writer on the same machine no processor. */
const LOOKS_A_PAUSE = 64;
const ROWS_A_LOOK = 8;

/**
 * A reader in a process of its own, as a worker is. For each line on stdin it refreshes and answers
 * with one line of JSON; `hold` keeps a read transaction open without end, for kill -9; `spin` reads
 * at random without end and `found` tells what it saw.
 */
const [path = ''] = process.argv.slice(2);
const reader = openShared(path);
const found = { reads: 0, versions: 0, wrong: '' };
let deadlineMs = -Infinity;
let commands = '';

process.stdin.setEncoding('utf8').on('data', (text: string) => {
  commands += text;
  for (let end = commands.indexOf('\n'); end !== -1; end = commands.indexOf('\n')) {
    answer(commands.slice(0, end));
    commands = commands.slice(end + 1);
  }
});

function answer(command: string): void {
  const [verb = '', argument = '', other = ''] = command.split(' ');
  reader.refresh();
  const value = read(verb, argument, other);
  process.stdout.write(`${JSON.stringify(value ?? null)}\n`);
  if (verb === 'hold') while (process.pid > 0) continue;
}

function read(verb: string, argument: string, other: string): unknown {
  if (verb === 'trust') return reader.readTrust();
  if (verb === 'key') return reader.readKey(argument);
  if (verb === 'tenant') return reader.readTenant(argument);
  if (verb === 'found') return found;
  if (verb === 'spin') spin(Number(argument), other === 'whole');
  return reader.readGeneration();
}

/** `whole`: each load gave all rows one version, so a snapshot with two of them is a mixture. */
function spin(keys: number, whole: boolean): void {
  let last = -1;
  const look = (): void => {
    reader.refresh();
    lookAtTrust();
    const versions = new Set<number>();
    for (let n = 0; n < ROWS_A_LOOK; n += 1) {
      for (const version of lookAtKey(makeId(Math.floor(Math.random() * keys)))) {
        versions.add(version);
      }
    }
    if (whole && versions.size !== 1) found.wrong ||= `versions ${[...versions].join()}`;
    const [version = -1] = versions;
    if (version !== last) found.versions += 1;
    last = version;
    found.reads += 1;
    if (found.reads % LOOKS_A_PAUSE === 0) setTimeout(look, 1);
    else setImmediate(look);
  };
  look();
}

function lookAtTrust(): void {
  const trust = reader.readTrust();
  if (!trust) return;
  if (trust.deadlineMs < deadlineMs) found.wrong ||= 'trust went back';
  deadlineMs = trust.deadlineMs;
}

/** The versions of a key and of its tenant. */
function lookAtKey(id: string): readonly number[] {
  const key = reader.readKey(id);
  const tenant = key && reader.readTenant(key.tenantId);
  if (key?.publicId === id && tenant?.tenantId === key.tenantId) {
    return [key.version, tenant.version];
  }
  found.wrong ||= `no ${id}`;
  return [];
}
