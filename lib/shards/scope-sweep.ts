import { endOf, periodsAt } from '../ledger/counter.ts';
import type { Counter } from '../ledger/counter.ts';
import type { ShardLedger } from '../ledger/shard-ledger.ts';

/** Goes once over all scopes of a shard that have counters, a part at a time. */
export interface ScopeSweep {
  readonly mode: 'fill' | 'compare';
  /** The next counters, at most `most`; undefined after the last. Rejects as the connection does. */
  next(most: number): Promise<readonly Counter[] | undefined>;
}

/**
 * The counters of a moment of Redis's time that exist, to be compared. A scope that has none any more
 * is not looked at again until one is filled.
 */
export function sweepPresent(
  ledger: Pick<ShardLedger, 'listScopes' | 'findExisting' | 'forgetScopes'>,
  nowMs: number,
): ScopeSweep {
  const { day, month, total } = periodsAt(nowMs);
  return makeSweep(ledger, 'compare', async (scopes) => {
    const existing = await ledger.findExisting(
      scopes.flatMap((scope) => [day, month, total].map((period) => ({ scope, period }))),
    );
    const used = new Set(existing.map(({ scope }) => scope));
    await ledger.forgetScopes(scopes.filter((scope) => !used.has(scope)));
    return existing;
  });
}

/**
 * The counters of the day that comes, and of the month if it ends too, of whoever has one of today:
 * filled ahead, nobody has to wait at midnight.
 */
export function sweepComing(
  ledger: Pick<ShardLedger, 'listScopes' | 'findExisting'>,
  nowMs: number,
): ScopeSweep {
  const midnightMs = endOf('day', nowMs) ?? nowMs;
  const today = periodsAt(nowMs);
  const coming = periodsAt(midnightMs);
  const kinds = (['day', 'month'] as const).filter((kind) => coming[kind] !== today[kind]);
  return makeSweep(ledger, 'fill', async (scopes) => {
    const found = await Promise.all(
      kinds.map(async (kind) => {
        const present = scopes.map((scope) => ({ scope, period: today[kind] }));
        const existing = await ledger.findExisting(present);
        return existing.map(({ scope }) => ({ scope, period: coming[kind] }));
      }),
    );
    return found.flat();
  });
}

function makeSweep(
  ledger: Pick<ShardLedger, 'listScopes'>,
  mode: ScopeSweep['mode'],
  toCounters: (
    scopes: readonly Counter['scope'][],
  ) => readonly Counter[] | Promise<readonly Counter[]>,
): ScopeSweep {
  let cursor: string | undefined = '0';
  let waiting: readonly Counter[] = [];
  return {
    mode,
    async next(most) {
      if (waiting.length === 0) {
        if (cursor === undefined) return undefined;
        const page = await ledger.listScopes(cursor);
        waiting = await toCounters(page.scopes);
        cursor = page.next === '0' ? undefined : page.next;
      }
      const part = waiting.slice(0, most);
      waiting = waiting.slice(most);
      return part;
    },
  };
}
