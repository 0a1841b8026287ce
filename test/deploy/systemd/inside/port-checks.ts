import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { until } from '../../../support/until.ts';
import { isWhole, startChat } from './chat.ts';
import { follow } from './document.ts';
import { mustRun, readProperties, run } from './host.ts';
import { askAs, askFromOutside, OUTER_ADDRESS, OUTER_ADDRESS6 } from './outside.ts';
import type { Reach } from './outside.ts';
import { check, ensure } from './record.ts';
import type { Shell } from './shell.ts';

const RULE = '/etc/nzgw/ollama.nft';
const CLOSE = "### Close Ollama's port";
/** Ollama's, and one that it does not have: the rule is of the port, not of who listens. */
const OLD_PLACES = [
  `http://${OUTER_ADDRESS}:11434/api/version`,
  `http://[${OUTER_ADDRESS6}]:11434/api/version`,
];
const OWN_PLACE = 'http://127.0.0.1:11434/api/version';

/** Whoever opened the port did it so (`systemctl edit ollama`). */
export function openPort(): Promise<boolean> {
  return check('today: other machines can use Ollama without a key', () => untilOutside('answers'));
}

/** Closes the port as the document says, opens it again, and closes it for good. */
export async function checkPort(shell: Shell, key: string): Promise<void> {
  await close(shell, 'once');
  await check('the gateway still reaches Ollama', async () => {
    const reply = await startChat(key, 3).ended;
    ensure(isWhole(reply), `${reply.status}: ${JSON.stringify(reply.lines)}`);
    return `${reply.lines.length} lines`;
  });
  await check(
    'on this machine nobody else does: nzgw and root do, another user does not',
    async () => {
      const seen: string[] = [];
      for (const user of ['root', 'nzgw', 'nzgw_admin', 'nobody', 'postgres']) {
        const reach = await askAs(user, OWN_PLACE);
        seen.push(`${user} ${reach}`);
        const wanted = ['nobody', 'postgres'].includes(user) ? 'refused' : 'answers';
        ensure(reach === wanted, seen.join(', '));
      }
      return seen.join(', ');
    },
  );
  await check('the firewall alone is enough, with Ollama open again', () => firewallAlone());
  await check('the document: prove it', async () => {
    await untilOutside('refused');
    const said = await follow(shell, '### Prove it');
    ensure(said.includes(' 127.0.0.1:11434 ') && !said.includes('*:11434'), said);
    return said;
  });
  await check('the document: the way back opens the port again', async () => {
    const said = await follow(shell, '### The way back');
    await untilOutside('answers');
    return said;
  });
  await close(shell, 'again');
  await check(
    'a reload brings the rule back that somebody flushed, and Ollama goes on',
    async () => {
      const before = (await readProperties('ollama.service'))['MainPID'];
      await mustRun('nft', 'flush', 'ruleset');
      await mustRun('systemctl', 'reload', 'nzgw-firewall');
      await mustRun('systemctl', 'reload', 'nzgw-firewall');
      const table = await mustRun('nft', 'list', 'table', 'inet', 'nzgw_ollama');
      ensure(table.match(/chain /g)?.length === 2, table);
      const after = (await readProperties('ollama.service'))['MainPID'];
      ensure(before === after, `pid ${before ?? ''} before, ${after ?? ''} after`);
      return untilOutside('refused');
    },
  );
  await check('nftables.service, reloaded, takes nothing away, and Ollama goes on', async () => {
    const before = (await readProperties('ollama.service'))['MainPID'];
    // From now on, as the next boot is to be seen with it: its file begins with `flush ruleset`.
    await mustRun('systemctl', 'enable', '--now', 'nftables');
    await mustRun('systemctl', 'reload', 'nzgw-firewall');
    await mustRun('systemctl', 'reload', 'nftables');
    // That returns when its own rules are loaded; ours follow.
    const isBack = async (): Promise<boolean> => {
      const tables = await mustRun('nft', 'list', 'tables');
      ensure(tables.includes('inet filter'), tables);
      return tables.includes('nzgw_ollama');
    };
    await until(isBack, { withinMs: 5_000, what: 'the rule to be back' });
    const after = (await readProperties('ollama.service'))['MainPID'];
    ensure(before === after, `pid ${before ?? ''} before, ${after ?? ''} after`);
    return untilOutside('refused');
  });
  await check('Ollama does not start where the rule cannot be loaded', refuseWithoutRule);
}

async function refuseWithoutRule(): Promise<string> {
  renameSync(RULE, `${RULE}.away`);
  try {
    await mustRun('systemctl', 'stop', 'ollama', 'nzgw-firewall');
    const { code, text } = await run('systemctl', 'start', 'ollama');
    ensure(code !== 0 && text.includes('dependency'), text);
    return text.trim();
  } finally {
    renameSync(`${RULE}.away`, RULE);
    await mustRun('systemctl', 'reset-failed', 'nzgw-firewall');
    await mustRun('systemctl', 'start', 'ollama');
    await untilOutside('refused');
  }
}

async function close(shell: Shell, when: string): Promise<void> {
  await check(`the document: close Ollama's port, ${when}`, async () => {
    const said = await follow(shell, CLOSE);
    ensure(said.includes('OLLAMA_HOST=127.0.0.1:11434'), said);
    ensure(!said.includes('OTHER MACHINES') && said.includes(', 0 failed'), said);
    return said;
  });
  await check(`other machines are refused, ${when}`, () => untilOutside('refused'));
}

/** The drop-in as it was before, and the rule as it is. */
async function firewallAlone(): Promise<string> {
  const dropIn = '/run/systemd/system/ollama.service.d/zzz-test.conf';
  writeFileSync(dropIn, '[Service]\nEnvironment=OLLAMA_HOST=[::]:11434\n');
  await mustRun('systemctl', 'daemon-reload');
  await mustRun('systemctl', 'restart', 'ollama');
  try {
    await until(async () => (await askAs('root', OWN_PLACE)) === 'answers', {
      withinMs: 20_000,
      what: 'Ollama',
    });
    const listening = await mustRun('ss', '-ltnH', 'sport = :11434');
    ensure(!listening.includes('127.0.0.1'), listening);
    const seen = await untilOutside('refused');
    const own = await askAs('root', OLD_PLACES[0] ?? '');
    ensure(own === 'refused', `root at an outer address: ${own}`);
    return `${seen}; ${listening.trim()}`;
  } finally {
    rmSync(dropIn);
    await mustRun('systemctl', 'daemon-reload');
    await mustRun('systemctl', 'restart', 'ollama');
  }
}

/** Each outer address gives this to the other machine, as soon as Ollama runs. */
export async function untilOutside(wanted: Reach): Promise<string> {
  await until(async () => (await askAs('root', OWN_PLACE)) === 'answers', {
    withinMs: 20_000,
    what: 'Ollama',
  });
  const seen: string[] = [];
  for (const place of OLD_PLACES) seen.push(`${place} ${await askFromOutside(place)}`);
  ensure(
    seen.every((line) => line.endsWith(wanted)),
    seen.join(', '),
  );
  return seen.join(', ');
}
