import { openConfirmations } from '../../lib/revocation/confirmations.ts';
import type { Confirmed } from '../../lib/revocation/confirmations.ts';
import { makeClient } from '../../lib/store/postgres.ts';
import type { Queries } from '../../lib/tenants/queries.ts';
import type { Context } from './command.ts';
import { withDatabase } from './database.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';

/** A gateway that reaches Postgres knows within a second; one that does not admits nobody by then. */
const CONFIRM_WITHIN_MS = 2_000;
const TIMEOUT_MS = 10_000;

export interface ConfirmedAct<T> {
  readonly done: T;
  /** Null where nothing was revoked: there is nothing to be confirmed. */
  readonly confirmed: Confirmed | null;
}

/**
 * An act that may revoke (`xid`: in which transaction), and what gateways say to it. Throws as
 * withDatabase does.
 */
export function actAndConfirm<T extends { readonly xid: string | null }>(
  context: Context<'databaseUrl'>,
  act: (queries: Queries) => Promise<T>,
): Promise<ConfirmedAct<T>> {
  return withDatabase(context, async (queries) => {
    const client = makeClient({
      url: context.settings.databaseUrl,
      applicationName: 'nzgw confirmations',
      timeoutMs: TIMEOUT_MS,
    });
    try {
      await client.connect();
      const confirmations = await openConfirmations(client, context.clock);
      const done = await act(queries);
      const confirmed =
        done.xid === null ? null : await confirmations.wait(done.xid, CONFIRM_WITHIN_MS);
      return { done, confirmed };
    } finally {
      await client.end();
    }
  });
}

/** "confirmed by 2 of 2 gateways in 12 ms", as the end of a sentence. */
export function describeConfirmed({ confirmed, gateways, ms }: Confirmed): string {
  if (gateways === 0) return 'no gateway is running';
  return `confirmed by ${confirmed} of ${gateways} gateways in ${ms} ms`;
}

export function toExitCode(confirmed: Confirmed | null): ExitCode {
  const isMissed = confirmed !== null && confirmed.confirmed < confirmed.gateways;
  return isMissed ? EXIT.notConfirmed : EXIT.done;
}
