import { randomUUID } from 'node:crypto';
import { readCounter } from '../../lib/ledger/counter.ts';
import type { LedgerSum } from '../../lib/ledger/counter.ts';
import type { Script } from '../../lib/ledger/scripts.ts';
import { openShardLedger } from '../../lib/ledger/shard-ledger.ts';
import type { ShardLedger } from '../../lib/ledger/shard-ledger.ts';
import type { Redis } from '../../lib/store/redis.ts';

/** The owner of a shard, played by a test: it acts when it is told to. */
export interface ReadyShard {
  readonly claim: string;
  readonly lifeId: string;
  readonly ledger: ShardLedger;
  /** Writes counters as if the ledger had these sums. */
  fill(...sums: readonly LedgerSum[]): Promise<void>;
  /** Fills every counter that was asked for, with so many tokens in the ledger; how many it were. */
  fillWanted(tokens?: number): Promise<number>;
}

/** Claims a shard and makes it ready in a new life: requests may be admitted there. */
export async function readyShard(
  redis: Redis,
  shard: number,
  scripts?: readonly Script[],
): Promise<ReadyShard> {
  const ledger = openShardLedger(redis, shard, scripts);
  const owner = { claim: randomUUID(), lifeId: randomUUID() };
  await ledger.own(owner.claim);
  expectOk(await ledger.begin(owner.claim, owner.lifeId));
  expectOk(await ledger.ready(owner.claim, owner.lifeId));

  const fill = async (...sums: readonly LedgerSum[]): Promise<void> => {
    const reply = await ledger.fill(owner, sums, 'fill');
    if (typeof reply === 'string') throw new Error(`fill replied ${reply}`);
  };
  return {
    ...owner,
    ledger,
    fill,
    async fillWanted(tokens = 0) {
      const tick = await ledger.tick(owner.claim);
      if (tick === 'owner') throw new Error('the shard has another owner');
      const wanted = tick.fills.map(readCounter).filter((counter) => counter !== undefined);
      if (wanted.length > 0) await fill(...wanted.map((counter) => ({ ...counter, tokens })));
      return wanted.length;
    },
  };
}

function expectOk(reply: string): void {
  if (reply !== 'ok') throw new Error(`the shard replied ${reply}`);
}
