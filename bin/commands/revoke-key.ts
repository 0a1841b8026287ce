import { revokeKey as insertRevocation } from '../../lib/tenants/revoke-key.ts';
import { defineCommand } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { KEY } from '../program/positionals.ts';
import { label } from '../values/text.ts';
import { readOptions } from '../values/value.ts';
import { toPrefix } from '../views/key-view.ts';
import { showTime } from '../views/limits-view.ts';

export const revokeKey = defineCommand({
  name: 'revoke-key',
  summary: 'Ends a key for good, at once. Revoking it again is no failure.',
  positionals: [KEY],
  options: [{ name: 'reason', placeholder: 'TEXT', meaning: 'Why; kept with the revocation.' }],
  examples: ['nzgw revoke-key nz_4fGh2KpQx7Yt --reason leaked', 'nzgw revoke-key 4fGh --json'],
  needs: ['databaseUrl'],
  async run(context) {
    const { reason } = readOptions({ reason: label(1, 1_000).optional() }, context.options);
    const [reference = ''] = context.positionals;
    const { key, already } = await withDatabase(context, (queries) =>
      insertRevocation(queries, reference, reason ?? null),
    );
    const since = key.revokedAt === null ? '' : ` since ${showTime(key.revokedAt)}`;
    const document = {
      id: key.id,
      status: 'revoked',
      already,
      confirmed: null,
      gateways: null,
      ms: null,
    };
    context.output.answer(document, () => [
      already
        ? `${toPrefix(key)} (${key.tenant}) is revoked already${since}.`
        : `Revoked ${toPrefix(key)} (${key.tenant}).`,
    ]);
    return EXIT.done;
  },
});
