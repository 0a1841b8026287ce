import { openShared } from '../../lib/shared/shared-reader.ts';

/**
 * A reader in a process of its own, as a worker is. For each line on stdin it refreshes and answers
 * with one line of JSON; `hold` keeps a read transaction open without end, for kill -9.
 */
const [path = ''] = process.argv.slice(2);
const reader = openShared(path);
let commands = '';

process.stdin.setEncoding('utf8').on('data', (text: string) => {
  commands += text;
  for (let end = commands.indexOf('\n'); end !== -1; end = commands.indexOf('\n')) {
    answer(commands.slice(0, end));
    commands = commands.slice(end + 1);
  }
});

function answer(command: string): void {
  const [verb = '', argument = ''] = command.split(' ');
  reader.refresh();
  const value = read(verb, argument);
  process.stdout.write(`${JSON.stringify(value ?? null)}\n`);
  if (verb === 'hold') while (process.pid > 0) continue;
}

function read(verb: string, argument: string): unknown {
  if (verb === 'trust') return reader.readTrust();
  if (verb === 'key') return reader.readKey(argument);
  return reader.readGeneration();
}
