import type { AdmitRequest } from '../../lib/ledger/admit-request.ts';
import type { LedgerSum } from '../../lib/ledger/counter.ts';
import type { Entry } from '../../lib/ledger/entry.ts';
import type { Running } from '../../lib/ledger/renew-request.ts';
import type { Cancellation } from '../../lib/ledger/settle-request.ts';
import { applyAdmit } from './model-admit.ts';
import type { AdmitOp } from './model-admit.ts';
import {
  append,
  applyCancel,
  applyRehold,
  applyRenew,
  applySettle,
  reapExit,
  reapLapsed,
} from './model-holds.ts';
import {
  applyBegin,
  applyOwn,
  applyReady,
  applyTick,
  fillCounters,
  judgeOwner,
} from './model-owner.ts';
import { applyPeek } from './model-peek.ts';
import type { Shard } from './shard.ts';
import { encodeEntry } from '../../lib/ledger/entry-codec.ts';

/** Which of the two owners speaks, and with what claim. */
interface Owned {
  readonly owner: number;
  readonly claim: string;
}

/** One call of a script, by a worker or an owner of a certain number. */
export type Op =
  | AdmitOp
  | { readonly kind: 'settle'; readonly worker: number; readonly entry: Entry }
  | { readonly kind: 'cancel'; readonly worker: number; readonly cancellation: Cancellation }
  | { readonly kind: 'renew'; readonly worker: number; readonly running: readonly Running[] }
  | {
      readonly kind: 'rehold';
      readonly worker: number;
      readonly inc: string;
      readonly running: readonly Running[];
    }
  | { readonly kind: 'note'; readonly worker: number; readonly entry: Entry }
  | { readonly kind: 'peek'; readonly worker: number; readonly request: AdmitRequest }
  | { readonly kind: 'exit'; readonly owner: number; readonly inc: string; readonly most: number }
  | (Owned & { readonly kind: 'own' | 'tick' })
  | (Owned & { readonly kind: 'begin' | 'ready'; readonly lifeId: string })
  | (Owned & { readonly kind: 'reap'; readonly most: number })
  | (Owned & {
      readonly kind: 'fill';
      readonly lifeId: string;
      readonly mode: 'fill' | 'compare';
      readonly sums: readonly LedgerSum[];
    });

/** What the protocol makes of an op: changes the model and answers as the script must. */
export function applyOp(shard: Shard, op: Op): unknown {
  if ('owner' in op) return applyOwnerOp(shard, op);
  switch (op.kind) {
    case 'admit':
      return applyAdmit(shard, op);
    case 'settle':
      applySettle(shard, op.entry);
      return undefined;
    case 'cancel':
      return applyCancel(shard, op.cancellation);
    case 'renew':
      return applyRenew(shard, op.running);
    case 'rehold':
      applyRehold(shard, op.running, op.inc);
      return undefined;
    case 'note':
      applyNote(shard, op.entry);
      return undefined;
    case 'peek':
      return applyPeek(shard, op.request);
  }
}

type OwnerOp = Extract<Op, { readonly owner: number }>;

function applyOwnerOp(shard: Shard, op: OwnerOp): unknown {
  switch (op.kind) {
    case 'exit':
      return reapExit(shard, op.inc, op.most);
    case 'own':
      applyOwn(shard, op.claim);
      return undefined;
    case 'tick':
      return applyTick(shard, op.claim);
    case 'begin':
      return applyBegin(shard, op.claim, op.lifeId);
    case 'ready':
      return applyReady(shard, op.claim, op.lifeId);
    case 'reap': {
      const word = judgeOwner(shard, op.claim, null);
      return word === 'ok' ? reapLapsed(shard, op.most) : word;
    }
    case 'fill': {
      const word = judgeOwner(shard, op.claim, op.lifeId);
      return word === 'ok' ? fillCounters(shard, op.sums, op.mode) : word;
    }
  }
}

function applyNote(shard: Shard, entry: Entry): void {
  const { keyId: key, tenantId: tenant, admittedAtMs: at } = entry;
  append(shard, 'entry', { facts: encodeEntry(entry), key, tenant, at, tokens: 0 });
}
