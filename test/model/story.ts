import type { AdmitLimits } from '../../lib/ledger/admit-request.ts';
import type { LedgerSum } from '../../lib/ledger/counter.ts';
import type { Entry } from '../../lib/ledger/entry.ts';
import type { Hold } from '../../lib/ledger/hold.ts';
import type { Scope } from '../../lib/ledger/keys.ts';
import type { Cancellation } from '../../lib/ledger/settle-request.ts';
import { makeEmptyStore } from './model-store.ts';
import type { ModelStore } from './model-store.ts';
import { nameWorker, OWNERS, WORKERS } from './real-world.ts';
import { makeEmptyShard } from './shard.ts';
import type { Shard } from './shard.ts';

/** What a request truly did, whoever knows of it. */
export interface StoryRequest {
  readonly hold: Hold;
  readonly promptBoundTokens: number;
  readonly grantedTokens: number;
  readonly model: string;
  readonly worker: number;
  readonly inc: string;
  /** `refused`: it was admitted, but its client was told 503, since the reply did not come. */
  state: 'running' | 'ended' | 'refused';
  /** Tokens generated so far. */
  promptTokens: number;
  completionTokens: number;
  entry: Entry | null;
  /** Its worker died: more than this was forgiven. */
  capTokens: number | null;
  /** Its worker no longer keeps the settlement or cancel. */
  released: boolean;
  /** It was ended without its worker, at least once. */
  wasReaped: boolean;
  /** Then Redis forgot that, by a loss of its data or after an hour. */
  isForgotten: boolean;
  /** Redis lost it when nobody alive or durable knew it any more. */
  excused: boolean;
  /** Redis lost it, and its worker is cut off: the shard got ready without it. */
  isCutOff: boolean;
  readonly lossesBefore: number;
}

/** What a worker keeps until a later renewal shows that Redis has not forgotten it. */
export interface KeptItem {
  readonly act:
    | { readonly kind: 'settle'; readonly entry: Entry }
    | { readonly kind: 'cancel'; readonly cancellation: Cancellation };
  /** By the true clock; null: not acknowledged, or to be sent again. */
  ackedAtMs: number | null;
}

export interface StoryWorker {
  generation: number;
  inc: string;
  /** Redis's clock less the worker's own, as the last reply told. */
  offsetMs: number;
  lifeSeen: string | null;
  readonly ring: Map<string, KeptItem>;
  /** Running requests that Redis did not know. */
  readonly unknown: Set<string>;
}

export interface StoryOwner {
  readonly claim: string;
  /** Read from the ledger and not yet written to Redis; of the life that was then. */
  pending: { readonly lifeId: string; readonly sums: readonly LedgerSum[] } | null;
}

/** Redis as it was at some time, and the model of it. */
export interface SavedRedis {
  readonly shard: Shard;
  readonly dump: readonly (readonly [string, Buffer])[];
}

/** One run: the model, what is true whether or not anybody knows it, and what the actors remember. */
export class Story {
  shard: Shard;
  readonly store: ModelStore = makeEmptyStore();
  readonly requests = new Map<string, StoryRequest>();
  readonly workers: readonly StoryWorker[];
  readonly deadIncs: string[] = [];
  readonly owners: readonly StoryOwner[];
  /** Who has the lock of Postgres. */
  lockHolder = 0;
  readonly limits = new Map<Scope, AdmitLimits>();
  /** Milliseconds that truly passed, whatever Redis's clock says. */
  trueMs: number;
  readonly stoppedMs = new Array<number>(WORKERS).fill(0);
  /** How often Redis lost data. */
  losses = 0;
  /** Something happened after which a counter may be too high until a comparison. */
  disturbed = false;
  saved: SavedRedis | null = null;
  commands = 0;
  #made = 0;

  constructor(nowMs: number) {
    this.shard = makeEmptyShard(nowMs);
    this.trueMs = nowMs;
    this.workers = Array.from({ length: WORKERS }, (_, worker) => ({
      ...{ generation: 0, inc: nameWorker(worker, 0), offsetMs: 0, lifeSeen: null },
      ...{ ring: new Map<string, KeptItem>(), unknown: new Set<string>() },
    }));
    this.owners = Array.from({ length: OWNERS }, (_, n) => ({
      claim: `claim-${n}`,
      pending: null,
    }));
  }

  /** A name that no other has in this run. */
  makeId(): string {
    this.#made += 1;
    return `01980000-0000-7000-8000-${String(this.#made).padStart(12, '0')}`;
  }

  worker(n: number): StoryWorker {
    return found(this.workers[n]);
  }

  owner(n: number): StoryOwner {
    return found(this.owners[n]);
  }

  request(id: string): StoryRequest {
    return found(this.requests.get(id));
  }

  isAlive(request: StoryRequest): boolean {
    return this.worker(request.worker).inc === request.inc;
  }

  /** Requests whose stream is open, of one worker or of all. */
  running(worker?: number): readonly StoryRequest[] {
    return [...this.requests.values()].filter(
      (one) =>
        one.state === 'running' &&
        this.isAlive(one) &&
        (worker === undefined || one.worker === worker),
    );
  }

  /** All that workers keep: worker, admission id, item. */
  kept(): readonly (readonly [number, string, KeptItem])[] {
    return this.workers.flatMap(({ ring }, worker) =>
      [...ring].map(([id, item]) => [worker, id, item] as const),
    );
  }

  /** What the worker believes Redis's clock to be. */
  estimateMs(worker: number): number {
    return this.trueMs - found(this.stoppedMs[worker]) + this.worker(worker).offsetMs;
  }

  learnTime(worker: number): void {
    this.worker(worker).offsetMs = this.shard.nowMs - this.trueMs + found(this.stoppedMs[worker]);
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is none');
  return value;
}
