import { createShared } from '../../lib/shared/shared-writer.ts';
import { makeFullKey, makeFullKeys, makeTenants } from './shared-rows.ts';

/**
 * A writer in a process of its own, as a primary is. It says its path, then answers each line of
 * stdin with one line of JSON; a write that fails is `{ "failed": code }`. `churn` loads so many
 * keys again and again, each time with the next version, until it is killed.
 */
const [directory = ''] = process.argv.slice(2);
const writer = createShared(directory);
let commands = '';

say({ path: writer.path });
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  commands += text;
  for (let end = commands.indexOf('\n'); end !== -1; end = commands.indexOf('\n')) {
    answer(commands.slice(0, end));
    commands = commands.slice(end + 1);
  }
});

function answer(command: string): void {
  const [verb = '', ...numbers] = command.split(' ');
  const [first = 0, second = 0, third = 0] = numbers.map(Number);
  try {
    act(verb, first, second, third);
    say({ done: verb });
  } catch (error) {
    say({ failed: error instanceof Error && 'code' in error ? error.code : String(error) });
  }
}

function act(verb: string, first: number, second: number, third: number): void {
  if (verb === 'trust') writer.putTrust({ deadlineMs: first, runId: 'child' });
  if (verb === 'load') writer.replaceDirectory(makeFullKeys(first, second), makeTenants(second));
  if (verb === 'add') {
    const keys = Array.from({ length: second }, (_, n) => makeFullKey(first + n, third));
    writer.applyChanges({ keys, tenants: [] });
  }
  if (verb === 'check') writer.checkReaders();
  if (verb === 'churn') churn(first);
}

function churn(keys: number): void {
  for (let version = 1; process.pid > 0; version += 1) {
    writer.replaceDirectory(makeFullKeys(keys, version), makeTenants(version));
    writer.putTrust({ deadlineMs: version, runId: 'child' });
    if (version === 1) say({ done: 'first' });
  }
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
