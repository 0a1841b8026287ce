import { openConfirmations } from '../../lib/revocation/confirmations.ts';
import type { Confirmed } from '../../lib/revocation/confirmations.ts';
import { makeClient } from '../../lib/store/postgres.ts';
import { revokeKey as insertRevocation } from '../../lib/tenants/revoke-key.ts';
import type { Revocation } from '../../lib/tenants/revoke-key.ts';
import { defineCommand } from '../program/command.ts';
import type { Context } from '../program/command.ts';
import { withDatabase } from '../program/database.ts';
import { EXIT } from '../program/exit-code.ts';
import { KEY } from '../program/positionals.ts';
import { label } from '../values/text.ts';
import { readOptions } from '../values/value.ts';
import { toPrefix } from '../views/key-view.ts';
import { showTime } from '../views/limits-view.ts';

/** A gateway that reaches Postgres knows within a second; one that does not admits nobody by then. */
const CONFIRM_WITHIN_MS = 2_000;
const TIMEOUT_MS = 10_000;

export const revokeKey = defineCommand({
  name: 'revoke-key',
  summary: 'Ends a key for good, at once, and tells which gateways know. Again is no failure.',
  positionals: [KEY],
  options: [{ name: 'reason', placeholder: 'TEXT', meaning: 'Why; kept with the revocation.' }],
  examples: ['nzgw revoke-key nz_4fGh2KpQx7Yt --reason leaked', 'nzgw revoke-key 4fGh --json'],
  needs: ['databaseUrl'],
  async run(context) {
    const { reason } = readOptions({ reason: label(1, 1_000).optional() }, context.options);
    const [reference = ''] = context.positionals;
    const { revocation, confirmed } = await revoke(context, reference, reason ?? null);
    const document = {
      id: revocation.key.id,
      status: 'revoked',
      already: revocation.xid === null,
      confirmed: confirmed?.confirmed ?? null,
      gateways: confirmed?.gateways ?? null,
      ms: confirmed?.ms ?? null,
    };
    context.output.answer(document, () => [tell(revocation, confirmed)]);
    return confirmed && confirmed.confirmed < confirmed.gateways ? EXIT.notConfirmed : EXIT.done;
  },
});

interface Revoked {
  readonly revocation: Revocation;
  /** Null where nothing was written: there is nothing to be confirmed. */
  readonly confirmed: Confirmed | null;
}

function revoke(
  context: Context<'databaseUrl'>,
  reference: string,
  reason: string | null,
): Promise<Revoked> {
  return withDatabase(context, async (queries) => {
    const client = makeClient({
      url: context.settings.databaseUrl,
      applicationName: 'nzgw revoke-key',
      timeoutMs: TIMEOUT_MS,
    });
    try {
      await client.connect();
      const confirmations = await openConfirmations(client, context.clock);
      const revocation = await insertRevocation(queries, reference, reason);
      const { xid } = revocation;
      const confirmed = xid === null ? null : await confirmations.wait(xid, CONFIRM_WITHIN_MS);
      return { revocation, confirmed };
    } finally {
      await client.end();
    }
  });
}

function tell({ key }: Revocation, confirmed: Confirmed | null): string {
  const name = `${toPrefix(key)} (${key.tenant})`;
  if (confirmed === null) {
    const since = key.revokedAt === null ? '' : ` since ${showTime(key.revokedAt)}`;
    return `${name} is revoked already${since}.`;
  }
  if (confirmed.gateways === 0) return `Revoked ${name}. No gateway is running.`;
  const { confirmed: known, gateways, ms } = confirmed;
  return `Revoked ${name}: confirmed by ${known} of ${gateways} gateways in ${ms} ms.`;
}
