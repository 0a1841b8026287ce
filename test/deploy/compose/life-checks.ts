import { until } from '../../support/until.ts';
import type { ClientNetwork } from './client-network.ts';
import { seeHealth } from './container-checks.ts';
import { listProcesses } from './processes.ts';
import { check, ensure } from './record.ts';
import { ask, toChat } from './requests.ts';
import type { Stack } from './stack.ts';

/** Ten words a second: long enough to be stopped in, and shorter than the time to drain. */
const WORDS = 80;
const BACK_MS = 60_000;

/** How the gateway ends, and how it comes back. */
export async function checkLife(stack: Stack, client: ClientNetwork, key: string): Promise<void> {
  await check('a stop lets a running stream end whole, then ends with 0', () =>
    seeDrain(stack, client, key),
  );
  await check('it comes back healthy, and with it all', async () => {
    await stack.compose('start', 'gateway');
    return seeHealth(stack);
  });
  await check('a primary that is killed is started again', () => seeRestart(stack));
  await check('after all that the ledger adds up', async () => {
    const text = await stack.compose('run', '--rm', '-T', 'nzgw', 'verify-ledger');
    ensure(text.includes('all adds up'), text);
    return '';
  });
}

async function seeDrain(stack: Stack, client: ClientNetwork, key: string): Promise<string> {
  const begun = Promise.withResolvers<undefined>();
  let pieces = 0;
  const request = { key, path: '/api/chat', body: toChat(WORDS) };
  const chat = ask(stack, client, request, () => {
    pieces += 1;
    // The head, and a line or two: it streams.
    if (pieces === 3) begun.resolve(undefined);
  });
  await Promise.race([begun.promise, chat]);
  const stopped = stack.compose('stop', 'gateway');
  const { code, text, atMs } = await chat;
  await stopped;
  ensure(code === 0 && text.includes('"done":true'), `${code}: ${text.slice(-2_000)}`);
  const ended = await stack.inspect('gateway', '{{.State.ExitCode}} {{.State.OOMKilled}}');
  ensure(ended === '0 false', ended);
  const after = await ask(stack, client, { key, path: '/api/v1/key' });
  ensure(/^HTTP\/\S+ 50[23]/.test(after.text), after.text);
  return `${atMs.length} pieces, exit 0`;
}

async function seeRestart(stack: Stack): Promise<string> {
  const [init, primary] = await listProcesses(stack, 'gateway');
  if (init === undefined || primary === undefined) throw new Error('no gateway');
  process.kill(primary.pid, 'SIGKILL');
  const isBack = async (): Promise<boolean> => {
    const pid = Number(await stack.inspect('gateway', '{{.State.Pid}}'));
    if (pid === 0 || pid === init.pid) return false;
    const { code } = await stack.tryCompose('exec', '-T', 'gateway', 'nzgw', 'status');
    return code === 0;
  };
  await until(isBack, { withinMs: BACK_MS, what: 'the gateway to be back' });
  return '';
}
