import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { connectRedis } from './connect-redis.ts';
import { listKeys } from './every-node.ts';
import type { OwnRedis } from './one-redis.ts';
import type { Sink } from './secret-grep.ts';
import type { Stack } from './stack.ts';

/** Everything that a running product wrote or shows, apart from what it answered to clients. */
export async function readSinks({ gateway, database, redis }: Stack): Promise<readonly Sink[]> {
  return [
    { name: 'output', text: gateway.output() },
    { name: 'metrics', text: await readText(`${gateway.adminUrl}/metrics`) },
    { name: 'readiness', text: await readText(`${gateway.adminUrl}/readyz`) },
    ...(await readTables(database)),
    ...(await readRedis(redis)),
    ...readCommandLines(),
  ];
}

async function readText(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** All tables of both schemas, but for the one whose purpose it is to hold prompts. */
async function readTables(database: Stack['database']): Promise<readonly Sink[]> {
  const { rows: tables } = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('gateway', 'gateway_meta') and tablename <> 'prompt_log'`,
  );
  const sinks: Sink[] = [];
  for (const { name } of tables) {
    const { rows } = await database.query<{ text: string }>(
      `select coalesce(string_agg(t::text, e'\\n'), '') as text from ${name} t`,
    );
    sinks.push({ name: `table ${name}`, text: rows[0]?.text ?? '' });
  }
  return sinks;
}

/** Keys with their values as Redis dumps them, and the file that it appends to. */
async function readRedis({ url, folders }: OwnRedis): Promise<readonly Sink[]> {
  const client = await connectRedis(url);
  try {
    const sinks: Sink[] = [];
    for (const key of await listKeys(client, '*')) {
      const value = await client.dumpBuffer(key);
      sinks.push({ name: `redis ${key}`, text: `${key} ${value.toString('latin1')}` });
    }
    for (const folder of folders.map((one) => join(one, 'appendonlydir'))) {
      for (const file of readdirSync(folder)) {
        const text = readFileSync(join(folder, file), 'latin1');
        sinks.push({ name: `redis file ${file}`, text });
      }
    }
    return sinks;
  } finally {
    client.disconnect();
  }
}

function readCommandLines(): readonly Sink[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .map((pid) => ({ name: `command line of ${pid}`, text: readCommandLine(pid) }));
}

/** A process may be gone by the time it is looked at. */
function readCommandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
