import type { Entry } from '../../lib/ledger/entry.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import type { RenewReply, Running } from '../../lib/ledger/renew-request.ts';
import type { Cancellation } from '../../lib/ledger/settle-request.ts';
import { KEY_ID, TENANT_ID } from './sample-request.ts';

type Answers = Pick<
  Ledger,
  'settle' | 'cancel' | 'renew' | 'rehold' | 'shardOf' | 'estimateTimeMs'
>;

/** A ledger at which a test decides what is answered, and sees in which order it was asked. */
export class FarLedger implements Answers {
  readonly settled: Entry[] = [];
  readonly cancelled: string[] = [];
  /** Ids of each renewal. */
  readonly renewals: (readonly string[])[] = [];
  readonly reheld: Running[] = [];
  /** Every call by its name. */
  readonly calls: string[] = [];
  away = false;
  /** How many calls are answered although it is away. */
  allowed = 0;
  early = false;
  timeMs: number | null = 0;
  reply: RenewReply = { nowMs: 0, lifeId: 'life-1', current: true, unknown: [] };
  /** Called before a renewal is answered. */
  onRenew: () => void | Promise<void> = () => undefined;

  async settle(entry: Entry): Promise<void> {
    await this.#answer('settle');
    this.settled.push(entry);
  }

  async cancel({ id }: Cancellation): Promise<boolean> {
    await this.#answer('cancel');
    this.cancelled.push(id);
    return !this.early;
  }

  async renew(_shard: number, running: readonly Running[]): Promise<RenewReply> {
    this.renewals.push(running.map(({ hold }) => hold.id));
    await this.#answer('renew');
    await this.onRenew();
    return this.reply;
  }

  async rehold(_shard: number, running: readonly Running[]): Promise<void> {
    await this.#answer('rehold');
    this.reheld.push(...running);
  }

  shardOf(tenantId: string): number {
    return tenantId === TENANT_ID ? 0 : 1;
  }

  estimateTimeMs(): number | null {
    return this.timeMs;
  }

  async #answer(name: string): Promise<void> {
    this.calls.push(name);
    await Promise.resolve();
    if (!this.away) return;
    if (this.allowed === 0) throw new Error('away');
    this.allowed -= 1;
  }
}

/** A clock that stands until it is moved. */
export function makeHandClock(): { monotonicMs: () => number; nowMs: number } {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  return clock;
}

export function sampleCancellation(changes: Partial<Cancellation> = {}): Cancellation {
  return {
    id: '01980000-0000-7000-8000-00000000ffff',
    shard: 0,
    keyId: KEY_ID,
    tenantId: TENANT_ID,
    deadlineMs: 1_000,
    ...changes,
  };
}
