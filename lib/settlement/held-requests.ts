import type { Lease } from '../admission/lease.ts';
import type { Call } from '../http/call.ts';
import type { Hold } from '../ledger/hold.ts';
import type { Running } from '../ledger/renew-request.ts';
import type { Tally } from '../upstream/tally.ts';
import { measureProgress } from './charge.ts';

/** What is needed to tell how far a request has come; not its body, which is let go long before. */
interface HeldRequest extends Pick<Call, 'measure'> {
  readonly hold: Hold;
  readonly lease: Pick<Lease, 'numPredict' | 'promptBoundTokens'>;
  readonly tally: Tally;
}

/**
 * Every hold of this worker, from its admission until Redis has acknowledged its settlement: what it
 * must renew, and make anew where Redis has lost it.
 */
export class HeldRequests {
  readonly #shards = new Map<number, Map<string, HeldRequest>>();

  add(lease: Lease, { measure }: Pick<Call, 'measure'>, tally: Tally): void {
    const { hold, numPredict, promptBoundTokens } = lease;
    const requests = this.#shards.get(hold.shard) ?? new Map<string, HeldRequest>();
    requests.set(hold.id, { hold, measure, lease: { numPredict, promptBoundTokens }, tally });
    this.#shards.set(hold.shard, requests);
  }

  /** Nothing happens where it is not known. */
  remove(shard: number, admissionId: string): void {
    this.#shards.get(shard)?.delete(admissionId);
  }

  /** How many a shard has. */
  count(shard: number): number {
    return this.#shards.get(shard)?.size ?? 0;
  }

  /** All of a shard, or those of some ids that are still there, each with how far it is by now. */
  list(shard: number, ids?: readonly string[]): readonly Running[] {
    const requests = this.#shards.get(shard);
    if (requests === undefined) return [];
    const wanted = ids === undefined ? requests.values() : ids.map((id) => requests.get(id));
    return Array.from(wanted)
      .filter((request) => request !== undefined)
      .map((request) => ({
        hold: request.hold,
        ...measureProgress(request, request.lease, request.tally),
      }));
  }
}
