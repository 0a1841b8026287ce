import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { systemClock } from '../../../../lib/time/clock.ts';
import { until } from '../../../support/until.ts';
import { isWhole, startChat } from './chat.ts';
import * as host from './host.ts';
import { check, ensure } from './record.ts';

/** 25 ms each: longer than a reload, shorter than the grace. */
const LONG = 400;
const SETTINGS = '/etc/nzgw/nzgw.env';
const DROP_IN = '/run/systemd/system/nzgw.service.d';

/** Reload, deaths and the end, each with a stream that runs. */
export async function checkLife(key: string): Promise<void> {
  await check('a reload cuts no stream and refuses no connection', () => reload(key));
  await check('a primary that is killed takes no record with it, and is started again', () =>
    killPrimary(key),
  );
  await check('a primary that is stopped is ended by the watchdog, and started again', hang);
  await check('a URL may be a credential of the service and a file of the commands', useCredential);
  await check('a stop lets the stream end, ends with 0 and leaves nothing behind', () => stop(key));
  await check('settings with a fault are told, and nothing is tried again', refuseSettings);
}

async function reload(key: string): Promise<string> {
  const before = await readWorkers();
  const reloads = await countReloads();
  const chat = startChat(key, LONG);
  await chat.begun;
  appendFileSync(SETTINGS, 'NZGW_KEEP_ALIVE_SECONDS=70\n');
  const done = host.mustRun('systemctl', 'reload', 'nzgw');
  let asked = 0;
  const after = await until(
    async () => {
      // A connection each, as `keep-alive` would hide a listener that is gone.
      const headers = { connection: 'close' };
      const response = await fetch('http://127.0.0.1:8080/healthz', { headers });
      ensure(response.status === 200, `healthz ${response.status}`);
      await response.arrayBuffer();
      asked += 1;
      return (await countReloads()) > reloads && (await readWorkers());
    },
    { withinMs: 60_000, what: 'the reload' },
  );
  await done;
  const reply = await chat.ended;
  ensure(isWhole(reply), `the stream: ${JSON.stringify(reply.lines.at(-1))}`);
  ensure(asked > 10, `${asked} connections were made meanwhile`);
  const kept = after.filter((pid) => before.includes(pid));
  ensure(after.length - kept.length === before.length, `${before.join()} to ${after.join()}`);
  const journal = await host.readJournal();
  ensure(/"event":"reloading".*NZGW_KEEP_ALIVE_SECONDS/.test(journal), 'the setting was not read');
  return `${asked} connections, ${reply.lines.length} lines; ${kept.length} old workers still drain`;
}

async function countReloads(): Promise<number> {
  return (await host.readJournal()).split('"event":"reloaded"').length - 1;
}

async function killPrimary(key: string): Promise<string> {
  const pid = await host.readMainPid();
  const restarts = await countRestarts();
  const chat = startChat(key, LONG);
  await chat.begun;
  process.kill(pid, 'SIGKILL');
  const startedMs = systemClock.monotonicMs();
  const { headers, lines } = await chat.ended;
  const endedMs = Math.round(systemClock.monotonicMs() - startedMs);
  // Told, not cut off: workers were not killed with their primary.
  ensure(typeof lines.at(-1)?.['error'] === 'string', JSON.stringify(lines.at(-1)));
  await host.untilReadyAgain(pid);
  ensure((await countRestarts()) === restarts + 1, `${await countRestarts()} restarts`);
  const id = headers.get('request-id') ?? '';
  const sql = `select outcome, completion_tokens from gateway.audit_log where id = '${id}'`;
  const row = await until(() => host.query(sql), { withinMs: 30_000, what: 'its audit row' });
  ensure(!row.startsWith('lost'), row);
  return `told after ${endedMs} ms, charged once: ${row}`;
}

/** systemd's own watchdog, not that of the workers, which would have ended it after 30 s as well. */
async function hang(): Promise<string> {
  mkdirSync(DROP_IN, { recursive: true });
  writeFileSync(
    `${DROP_IN}/test.conf`,
    '[Service]\nWatchdogSec=4\nEnvironment=NZGW_PRIMARY_SILENCE_SECONDS=600\n',
  );
  await host.mustRun('systemctl', 'daemon-reload');
  const first = await host.readMainPid();
  await host.mustRun('systemctl', 'restart', 'nzgw');
  const pid = await host.untilReadyAgain(first);
  const restarts = await countRestarts();
  process.kill(pid, 'SIGSTOP');
  const startedMs = systemClock.monotonicMs();
  await host.untilReadyAgain(pid);
  const tookMs = Math.round(systemClock.monotonicMs() - startedMs);
  ensure((await countRestarts()) === restarts + 1, `${await countRestarts()} restarts`);
  const journal = await host.mustRun('journalctl', '--unit', 'nzgw', '--no-pager');
  ensure(journal.includes('Watchdog timeout'), 'systemd says nothing of its watchdog');
  rmSync(DROP_IN, { recursive: true });
  await host.mustRun('systemctl', 'daemon-reload');
  return `ready again after ${tookMs} ms`;
}

async function stop(key: string): Promise<string> {
  const chat = startChat(key, LONG);
  await chat.begun;
  await host.mustRun('systemctl', 'stop', 'nzgw');
  const reply = await chat.ended;
  ensure(isWhole(reply), `the stream: ${JSON.stringify(reply.lines.at(-1))}`);
  const { Result, ExecMainStatus, ActiveState } = await host.readProperties('nzgw.service');
  ensure(
    Result === 'success' && ExecMainStatus === '0' && ActiveState === 'inactive',
    `${Result ?? ''} ${ExecMainStatus ?? ''} ${ActiveState ?? ''}`,
  );
  const left = host.listProcessesOf(await host.readUid('nzgw'));
  ensure(left.length === 0, `processes ${left.join()}`);
  const id = reply.headers.get('request-id') ?? '';
  const row = await host.query(`select outcome from gateway.audit_log where id = '${id}'`);
  ensure(row === 'ok', `audit row: ${row}`);
  await host.mustRun('nzgw', 'verify-ledger');
  return `${reply.lines.length} lines, settled and stored before the end`;
}

/** As the table of secrets in the document says. */
async function useCredential(): Promise<string> {
  const file = '/etc/nzgw/credentials/database_url';
  const ofCommands = '/etc/nzgw/credentials/admin_database_url';
  const settings = readFileSync(SETTINGS, 'utf8');
  const [line = '', url = ''] = /^DATABASE_URL=(.*)$/m.exec(settings) ?? [];
  for (const [path, user] of [
    [file, 'nzgw'],
    [ofCommands, 'nzgw_admin'],
  ] as const) {
    await host.mustRun('install', '-m', '0640', '-g', 'nzgw', '/dev/null', path);
    // Each names its login, as one with a password does.
    writeFileSync(path, `${url}&user=${user}\n`);
  }
  writeFileSync(SETTINGS, settings.replace(line, `DATABASE_URL_FILE=${ofCommands}`));
  const before = await host.readMainPid();
  await host.mustRun('systemctl', 'restart', 'nzgw');
  const pid = await host.untilReadyAgain(before);
  const root = `/proc/${pid}/root`;
  for (const path of [file, ofCommands]) {
    ensure(!existsSync(`${root}${path}`), `the service has ${path} itself`);
  }
  return (await host.mustRun('nzgw', 'list-tenants')).split('\n')[1] ?? '';
}

async function refuseSettings(): Promise<string> {
  const settings = readFileSync(SETTINGS, 'utf8');
  try {
    writeFileSync(SETTINGS, settings.replace(/^OLLAMA_URL=.*$/m, ''));
    const { code } = await host.run('systemctl', 'start', 'nzgw');
    ensure(code !== 0, 'it was started');
    const found = await host.readProperties('nzgw.service');
    const { ActiveState = '', ExecMainStatus = '', NRestarts = '' } = found;
    const seen = `${ActiveState}, exit code ${ExecMainStatus}, ${NRestarts} restarts`;
    ensure(seen === 'failed, exit code 2, 0 restarts', seen);
    ensure((await host.readJournal()).includes('OLLAMA_URL: wanted'), 'the log does not say it');
    return seen;
  } finally {
    writeFileSync(SETTINGS, settings);
    await host.mustRun('systemctl', 'reset-failed', 'nzgw');
  }
}

async function countRestarts(): Promise<number> {
  return Number((await host.readProperties('nzgw.service'))['NRestarts']);
}

/** All processes of the service but the primary. */
async function readWorkers(): Promise<readonly number[]> {
  const primary = await host.readMainPid();
  return host.listProcessesOf(await host.readUid('nzgw')).filter((pid) => pid !== primary);
}
