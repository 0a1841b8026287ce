import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { listProcessesOf, mustRun, readJournal, readMainPid, readUid, run } from './host.ts';
import { check, ensure } from './record.ts';

const PEPPER = '/etc/nzgw/credentials/nzgw_key_pepper';

/** What the processes may, and who may read what they know. */
export async function checkSandbox(key: string): Promise<void> {
  const uid = await readUid('nzgw');
  const pids = (): readonly number[] => listProcessesOf(uid);
  await check('there is a worker for each core, though the sandbox hides the cores', async () => {
    const { workers } = await readRunning();
    ensure(workers === Math.min(8, availableParallelism()), `${workers} workers`);
    return `${workers} workers`;
  });
  await check('no process has a capability, all are filtered and gain no privilege', () => {
    for (const pid of pids()) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      for (const line of ['CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000']) {
        ensure(status.includes(line), `${pid}: ${status}`);
      }
      ensure(status.includes('NoNewPrivs:\t1') && status.includes('Seccomp:\t2'), status);
    }
    return `${pids().length} processes`;
  });
  await check('the pepper is in no environment, no argument and no log', async () => {
    const pepper = readFileSync(PEPPER, 'utf8').trim();
    for (const pid of pids()) {
      for (const file of ['environ', 'cmdline']) {
        const text = readFileSync(`/proc/${pid}/${file}`, 'latin1');
        ensure(!text.includes(pepper), `/proc/${pid}/${file} has it`);
        ensure(!text.includes(key), `/proc/${pid}/${file} has the key`);
      }
    }
    const journal = await mustRun('journalctl', '--no-pager', '--output', 'cat');
    ensure(!journal.includes(pepper) && !journal.includes(key), 'the journal has a secret');
    return `${pids().length} processes, ${journal.length} bytes of the journal`;
  });
  await check('no other user can read the pepper, and the service no file of it', async () => {
    const copy = '/run/credentials/nzgw.service/nzgw_key_pepper';
    ensure(statSync(copy).isFile(), 'there is no credential');
    for (const path of [copy, PEPPER]) {
      const { code } = await run('runuser', '-u', 'nobody', '--', 'cat', path);
      ensure(code !== 0, `nobody reads ${path}`);
    }
    const root = `/proc/${await readMainPid()}/root`;
    ensure(existsSync(`${root}/etc/nzgw/nzgw.env`), 'the service has no settings');
    ensure(!existsSync(`${root}${PEPPER}`), 'the service has the file');
    return `${copy} alone is read, by the service`;
  });
  await check('shared memory is a file of its own in a tmpfs', async () => {
    const names = readdirSync('/run/nzgw');
    const modes = names.map((name) => (statSync(`/run/nzgw/${name}`).mode & 0o777).toString(8));
    ensure(names.length === 2 && modes.every((mode) => mode === '600'), names.join());
    const type = (await mustRun('stat', '-f', '-c', '%T', '/run/nzgw')).trim();
    ensure(type === 'tmpfs', type);
    return names.join();
  });
  await check('the threads that hash keys have lowered their priority', () => {
    const lowered = pids().flatMap((pid) => readNiceThreads(pid));
    ensure(lowered.length > 0, 'no thread has');
    return `${lowered.length} threads`;
  });
  await check('nothing but the programs of the unit can be run', async () => {
    const pid = String(await readMainPid());
    const { code, text } = await run('nsenter', '--target', pid, '--mount', '/usr/bin/id');
    ensure(code !== 0, `id ran: ${text}`);
    const program = readlinkSync(`/proc/${pid}/exe`);
    ensure(program.endsWith('/bin/node'), program);
    return text.trim();
  });
  await check('the log has no warning but that Ollama is exposed', async () => {
    const lines = (await readJournal()).split('\n').filter((line) => line.startsWith('{'));
    const odd = lines
      .map((line) => JSON.parse(line) as { readonly level: string; readonly event: string })
      .filter(
        ({ level, event }) => !['info', 'debug'].includes(level) && event !== 'upstream_exposed',
      );
    ensure(lines.length > 0 && odd.length === 0, JSON.stringify(odd));
    return `${lines.length} lines`;
  });
  await check('systemd finds no fault in the units, and 1.5 of exposure at most', async () => {
    const units = ['nzgw.service', 'nzgw-firewall.service'];
    ensure((await mustRun('systemd-analyze', 'verify', '--man=no', ...units)) === '', 'faults');
    const said = await mustRun(
      'systemd-analyze',
      ...['security', '--no-pager', '--threshold=15', 'nzgw.service'],
    );
    return said.split('\n').find((line) => line.includes('Overall')) ?? said;
  });
}

async function readRunning(): Promise<{ readonly workers: number }> {
  const text = await mustRun('systemctl', 'show', '--property=StatusText', 'nzgw');
  return { workers: Number(/(\d+) workers? listen/.exec(text)?.[1]) };
}

/** Threads of a process with a higher nice value than its first one. */
function readNiceThreads(pid: number): readonly string[] {
  const own = readNice(pid, String(pid));
  return readdirSync(`/proc/${pid}/task`).filter((thread) => readNice(pid, thread) > own);
}

/** Counted behind the name, which may hold anything: the 19th field of all. */
function readNice(pid: number, thread: string): number {
  const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[16]);
}
