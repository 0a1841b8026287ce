import { revokeKey as insertRevocation } from '../../lib/tenants/revoke-key.ts';
import type { Revocation } from '../../lib/tenants/revoke-key.ts';
import { defineCommand } from '../program/command.ts';
import { actAndConfirm, describeConfirmed, toExitCode } from '../program/confirmed-act.ts';
import type { ConfirmedAct } from '../program/confirmed-act.ts';
import { KEY } from '../program/positionals.ts';
import { label } from '../values/text.ts';
import { readOptions } from '../values/value.ts';
import { toPrefix } from '../views/key-view.ts';
import { showTime } from '../views/limits-view.ts';

export const revokeKey = defineCommand({
  name: 'revoke-key',
  summary: 'Ends a key for good, at once, and tells which gateways know. Again asks them again.',
  positionals: [KEY],
  options: [{ name: 'reason', placeholder: 'TEXT', meaning: 'Why; kept with the revocation.' }],
  examples: ['nzgw revoke-key nz_4fGh2KpQx7Yt --reason leaked', 'nzgw revoke-key 4fGh --json'],
  needs: ['databaseUrl', 'trustLeaseMs'],
  async run(context) {
    const { reason } = readOptions({ reason: label(1, 1_000).optional() }, context.options);
    const [reference = ''] = context.positionals;
    const act = await actAndConfirm(
      context,
      (queries) => insertRevocation(queries, reference, reason ?? null),
      {
        whether: `whether key ${reference} is revoked`,
        hint: 'nzgw revoke-key once more: it does no harm',
      },
    );
    const { done, confirmed } = act;
    const document = {
      id: done.key.id,
      status: 'revoked',
      already: done.already,
      confirmed: confirmed?.confirmed ?? null,
      gateways: confirmed?.gateways ?? null,
      ms: confirmed?.ms ?? null,
    };
    context.output.answer(document, () => [tell(act)]);
    return toExitCode(confirmed);
  },
});

function tell({ done: { key, already }, confirmed }: ConfirmedAct<Revocation>): string {
  const name = `${toPrefix(key)} (${key.tenant})`;
  const heard = confirmed === null ? '' : `: ${describeConfirmed(confirmed)}`;
  if (!already) return `Revoked ${name}${heard}.`;
  const since = key.revokedAt === null ? '' : ` since ${showTime(key.revokedAt)}`;
  return `${name} is revoked already${since}${heard}.`;
}
