import { mustRun, run } from './host.ts';
import { check, ensure } from './record.ts';

const REDIS = ['redis-cli', '-s', '/run/redis/redis-server.sock'];

/** What the user of the service may do in the stores, should somebody else speak for it. */
export async function checkStores(): Promise<void> {
  await check(
    'the service can raise no limit, revive no key and delete no audit row in Postgres',
    async () => {
      const seen: string[] = [];
      for (const sql of [
        'update gateway.tenant_limits set tokens_per_minute = null',
        "update gateway.api_keys set status = 'active'",
        'delete from gateway.audit_log',
        'create table gateway.mine (a int)',
        'create role mine',
      ]) {
        const { code, text } = await asService('psql', '-XtAq', '-d', 'nzgw', '-c', sql);
        ensure(code !== 0 && text.includes('permission denied'), `${sql}: ${text}`);
        seen.push(sql);
      }
      return `${seen.length} refused`;
    },
  );
  await check('nor configure, empty, stop or copy Redis, nor touch other keys in it', async () => {
    for (const words of [
      'config set maxmemory-policy allkeys-lru',
      'flushall',
      'shutdown nosave',
      'replicaof 192.0.2.2 6379',
      'acl setuser default +@all',
      'monitor',
      'set other 1',
    ]) {
      const { text } = await asService(...REDIS, ...words.split(' '));
      ensure(text.includes('NOPERM'), `${words}: ${text}`);
    }
    const own = await asService(...REDIS, 'ping');
    ensure(own.text.trim() === 'PONG', own.text);
    const { text } = await run('runuser', '-u', 'nobody', '--', ...REDIS, 'ping');
    ensure(text.includes('Permission denied'), `nobody: ${text}`);
    return (await mustRun('stat', '-c', '%U:%G %a', '/run/redis/redis-server.sock')).trim();
  });
}

function asService(...command: readonly string[]): ReturnType<typeof run> {
  return run('runuser', '-u', 'nzgw', '--', 'env', 'USER=nzgw', ...command);
}
