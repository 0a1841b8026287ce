import { readFile, writeFile } from 'node:fs/promises';
import { demand, run } from './command.ts';

const FORWARD = '/proc/sys/net/ipv4/ip_forward';

/** Puts back what an engine leaves in the network of the host. Resolves to what was left. */
export type RestoreHostNetwork = () => Promise<string>;

/** Looks at it before the engine is started. */
export async function keepHostNetwork(): Promise<RestoreHostNetwork> {
  const forward = await readFile(FORWARD, 'utf8');
  const before = new Set(await listRules());
  return async () => {
    const left = (await listRules()).filter((rule) => !before.has(rule));
    // Rules before the chains that they lead to, and those empty before they can go.
    for (const { table, rule } of left.map(toParts).filter(({ rule }) => rule.startsWith('-A '))) {
      await run('/bin/sh', ['-c', `iptables -t ${table} -D ${rule.slice('-A '.length)}`]);
    }
    for (const { table, rule } of left.map(toParts).filter(({ rule }) => rule.startsWith('-N '))) {
      await demand('iptables', ['-t', table, '-X', rule.slice('-N '.length)]);
    }
    await writeFile(FORWARD, forward);
    const still = (await listRules()).filter((rule) => !before.has(rule));
    if (still.length > 0) throw new Error(`these rules are left:\n${still.join('\n')}`);
    return `${left.length} rules of the engine removed`;
  };
}

/** `nat -A POSTROUTING …`, each rule and each chain of its own. */
async function listRules(): Promise<readonly string[]> {
  const tables = ['nat', 'filter'];
  const lists = await Promise.all(
    tables.map(async (table) => {
      const text = await demand('iptables', ['-w', '10', '-t', table, '-S']);
      return text
        .split('\n')
        .filter((line) => /^-[AN] /.test(line))
        .map((line) => `${table} ${line}`);
    }),
  );
  return lists.flat();
}

function toParts(line: string): { readonly table: string; readonly rule: string } {
  const at = line.indexOf(' ');
  return { table: line.slice(0, at), rule: line.slice(at + 1) };
}
