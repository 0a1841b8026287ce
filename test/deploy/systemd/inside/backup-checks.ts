import { isWhole, startChat } from './chat.ts';
import { follow } from './document.ts';
import { query } from './host.ts';
import { check, ensure } from './record.ts';
import { readBudget } from './request-checks.ts';
import type { Shell } from './shell.ts';

const COUNT = 'select count(*), sum(completion_tokens) from gateway.audit_log';

/** docs/OPERATIONS.md: a dump, and back from it into an empty Redis. */
export async function checkBackup(shell: Shell, key: string): Promise<void> {
  await check(
    'a dump brought back into an empty Redis is as it was: keys, budget, audit',
    async () => {
      const before = { left: await readBudget(key), rows: await query(COUNT) };
      const said = await follow(shell, '## Backup and restore', 'docs/OPERATIONS.md');
      const after = { left: await readBudget(key), rows: await query(COUNT) };
      ensure(
        JSON.stringify(after) === JSON.stringify(before),
        `${JSON.stringify([before, after])}\n${said}`,
      );
      const old = await query("select count(*) from pg_database where datname = 'nzgw_before'");
      ensure(old === '1', 'the database that was there is not kept');
      const reply = await startChat(key, 3).ended;
      ensure(isWhole(reply), `${reply.status}: ${JSON.stringify(reply.lines)}`);
      return `${before.left} tokens left, ${before.rows}`;
    },
  );
}
