import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { checkBackup } from './backup-checks.ts';
import { checkCaddy } from './caddy-checks.ts';
import { isWhole, startChat } from './chat.ts';
import { follow } from './document.ts';
import { mustRun, readMainPid, readProperties, untilReadyAgain } from './host.ts';
import { checkLife } from './life-checks.ts';
import { plugIn } from './outside.ts';
import { checkPort, openPort, untilOutside } from './port-checks.ts';
import { check, END, ensure } from './record.ts';
import { checkRequests } from './request-checks.ts';
import { checkSandbox } from './sandbox-checks.ts';
import { openShell } from './shell.ts';
import { checkStores } from './store-checks.ts';
import type { Shell } from './shell.ts';

/** What the first boot leaves for the second one. */
const KEY_FILE = '/root/self-test.key';

/** Before the gateway runs nothing else can be looked at. */
async function install(shell: Shell): Promise<boolean> {
  for (const section of ['### Users, settings, secrets', '### Postgres and Redis']) {
    if (!(await check(`the document: ${section}`, () => follow(shell, section)))) return false;
  }
  if (
    !(await check('the same steps again, as after a failure, lose nothing', () => repeat(shell)))
  ) {
    return false;
  }
  const isStarted = await check(
    'the document: start; it was ready when that returned',
    async () => {
      const said = await follow(shell, '### Start');
      const { ActiveState, SubState } = await readProperties('nzgw.service');
      ensure(ActiveState === 'active' && SubState === 'running', `${ActiveState ?? ''} ${said}`);
      ensure(said.includes('OTHER MACHINES') || said.includes('upstream-port'), said);
      return said;
    },
  );
  if (!isStarted) return false;
  return check('the document: a first key, a first request', () =>
    follow(shell, '### A first key, a first request'),
  );
}

/** Half of it might have been done when something failed. */
async function repeat(shell: Shell): Promise<string> {
  const kept = ['/etc/nzgw/credentials/nzgw_key_pepper', '/etc/nzgw/nzgw.env'];
  appendFileSync('/etc/nzgw/nzgw.env', '# mine\n');
  const before = kept.map((path) => readFileSync(path, 'utf8'));
  ensure((before[0] ?? '').trim().length >= 32, 'no pepper');
  for (const section of ['### Users, settings, secrets', '### Postgres and Redis']) {
    await follow(shell, section);
  }
  const after = kept.map((path) => readFileSync(path, 'utf8'));
  ensure(after.join() === before.join(), 'the pepper or the settings are others');
  return `${kept.join(' ')} are as they were`;
}

/** To a copy, as there is one version only. */
async function upgrade(shell: Shell): Promise<string> {
  const [version = ''] = readdirSync('/opt').filter((name) => /^nzgw-\d/.test(name));
  const newer = `/opt/${version.replace(/\d+$/, '999')}`;
  await mustRun('cp', '--archive', '--link', `/opt/${version}`, newer);
  const said = await follow(shell, '### An upgrade');
  const program = readlinkSync(`/proc/${await readMainPid()}/exe`);
  ensure(program === `${newer}/bin/node`, program);
  return said;
}

/** The first boot: a machine with an open Ollama and no gateway. */
async function installAndLook(): Promise<void> {
  const shell = openShell('/root');
  mkdirSync('/run/systemd/system/ollama.service.d', { recursive: true });
  if ((await openPort()) && (await install(shell))) {
    const key = (await shell.run('printf %s "$KEY"')).text.trim();
    writeFileSync(KEY_FILE, key);
    await checkRequests(key);
    await checkSandbox(key);
    await checkStores();
    for (const section of ['### Day by day', '### Who uses the port', '### Keys for everybody']) {
      await check(`the document: ${section}`, () => follow(shell, section));
    }
    await check('the document: an upgrade; the new version runs', () => upgrade(shell));
    await checkCaddy(shell);
    await checkPort(shell, key);
    await checkBackup(shell, key);
    await checkLife(key);
  }
  shell.close();
}

/** The second: nobody types anything. */
async function lookAfterBoot(key: string): Promise<void> {
  await check('after a boot the gateway is ready by itself', async () => {
    const pid = await untilReadyAgain(0);
    const reply = await startChat(key, 3).ended;
    ensure(isWhole(reply), `${reply.status}: ${JSON.stringify(reply.lines)}`);
    return `pid ${pid}, ${reply.lines.length} lines`;
  });
  await check('after a boot Ollama is closed by both locks', async () => {
    const table = await mustRun('nft', 'list', 'table', 'inet', 'nzgw_ollama');
    ensure(table.includes('skuid'), table);
    const { ActiveState } = await readProperties('nftables.service');
    ensure(ActiveState === 'active', `nftables.service is ${ActiveState ?? ''}`);
    const listening = await mustRun('ss', '-ltnH', 'sport = :11434');
    ensure(listening.includes(' 127.0.0.1:11434 '), listening);
    return untilOutside('refused');
  });
}

if (await check('another machine is at the cable', () => plugIn().then(() => ''))) {
  if (existsSync(KEY_FILE)) await lookAfterBoot(readFileSync(KEY_FILE, 'utf8'));
  else await installAndLook();
}
await check(END, () => '');
