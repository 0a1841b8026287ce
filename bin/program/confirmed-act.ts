import { waitAtMost } from '../../lib/revocation/bounded.ts';
import { openConfirmations } from '../../lib/revocation/confirmations.ts';
import type { Confirmed } from '../../lib/revocation/confirmations.ts';
import { makeClient } from '../../lib/store/postgres.ts';
import type { Queries } from '../../lib/tenants/queries.ts';
import type { Context } from './command.ts';
import { withDatabase } from './database.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { actAsWhole } from './whole-act.ts';
import type { Doubt } from './whole-act.ts';

/** A gateway that reaches Postgres knows within a second; one that does not admits nobody by then. */
const CONFIRM_WITHIN_MS = 2_000;
const TIMEOUT_MS = 10_000;
const CLOSE_WITHIN_MS = 500;

/** `gateways` and `ms` are null where they could not be asked: the act is done all the same. */
export type Heard =
  Confirmed | { readonly confirmed: 0; readonly gateways: null; readonly ms: null };

const NOT_HEARD: Heard = { confirmed: 0, gateways: null, ms: null };

export interface ConfirmedAct<T> {
  readonly done: T;
  /** Null where nothing was revoked: there is nothing to be confirmed. */
  readonly confirmed: Heard | null;
}

/**
 * An act that may revoke (`xid`: in which transaction), and what gateways say to it. Throws as
 * withDatabase and actAsWhole do, but for what goes wrong once the act is done: its result is never
 * lost.
 */
export function actAndConfirm<T extends { readonly xid: string | null }>(
  context: Context<'databaseUrl' | 'trustLeaseMs'>,
  act: (queries: Queries) => Promise<T>,
  doubt: Doubt,
): Promise<ConfirmedAct<T>> {
  return withDatabase(context, async (_, pool) => {
    const client = makeClient({
      url: context.settings.databaseUrl,
      applicationName: 'nzgw confirmations',
      timeoutMs: TIMEOUT_MS,
    });
    try {
      await client.connect();
      const confirmations = await openConfirmations(
        client,
        context.clock,
        context.settings.trustLeaseMs,
      );
      const done = await actAsWhole(pool, context.clock, act, doubt);
      const confirmed =
        done.xid === null
          ? null
          : await confirmations.wait(done.xid, CONFIRM_WITHIN_MS).catch(() => NOT_HEARD);
      return { done, confirmed };
    } finally {
      await waitAtMost(client.end(), CLOSE_WITHIN_MS);
    }
  });
}

/** "confirmed by 2 of 2 gateways in 12 ms", as the end of a sentence. */
export function describeConfirmed({ confirmed, gateways, ms }: Heard): string {
  if (gateways === null) return 'whether the gateways know could not be asked';
  if (gateways === 0) return 'no gateway is running';
  return `confirmed by ${confirmed} of ${gateways} gateways in ${ms} ms`;
}

export function toExitCode(heard: Heard | null): ExitCode {
  if (heard === null) return EXIT.done;
  return heard.confirmed === heard.gateways ? EXIT.done : EXIT.notConfirmed;
}
