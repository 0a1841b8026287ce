import { encodeEntry } from '../../lib/ledger/entry-codec.ts';
import { periodsAt } from '../../lib/ledger/counter.ts';
import type { Entry } from '../../lib/ledger/entry.ts';
import type { Scope } from '../../lib/ledger/keys.ts';
import type { RenewReply, Running } from '../../lib/ledger/renew-request.ts';
import type { Cancellation } from '../../lib/ledger/settle-request.ts';
import { keepLease } from './model-admit.ts';
import { findCounter, moveCounters } from './model-counters.ts';
import { lower } from './model-window.ts';
import type { ModelEvent, ModelHold, Shard } from './shard.ts';
import { scopesOf } from './shard.ts';

const SETTLED_MS = 60_000;
const REAPED_MS = 3_600_000;

/** settle of LEDGER §3: in every state of the shard. */
export function applySettle(shard: Shard, entry: Entry): void {
  const { id, keyId: key, tenantId: tenant, admittedAtMs: at, chargedTokens: tokens } = entry;
  const hold = shard.holds.get(id);
  if (hold?.state === 'settled') return;
  if (hold?.state === 'reaped') correctCharge(shard, { key, tenant, at }, { hold, tokens });
  else {
    const held = hold?.state === 'live' ? -hold.held : 0;
    moveCounters(shard, { key, tenant, at }, { held, spent: tokens });
  }
  append(shard, 'entry', { facts: encodeEntry(entry), key, tenant, at, tokens });
  if (hold?.state === 'live') dropLease(shard, id, hold);
  if (hold !== undefined) lowerTokens(shard, id, { hold, less: hold.counted - tokens });
  markSettled(shard, id);
}

/** A budget that was filled since the loss is not lowered: it may never have had the charge. */
function correctCharge(
  shard: Shard,
  of: { readonly key: string; readonly tenant: string; readonly at: number },
  { hold, tokens }: { readonly hold: ModelHold; readonly tokens: number },
): void {
  const change = tokens - hold.charge;
  for (const [place, scope] of scopesOf(of).entries()) {
    const isSame = fillsOf(shard, scope) === hold.fillsAtLoss[place];
    const spent = isSame ? change : Math.max(0, change);
    for (const period of Object.values(periodsAt(of.at))) {
      const counter = findCounter(shard, scope, period);
      if (counter) counter.spent += spent;
    }
  }
}

function fillsOf(shard: Shard, scope: Scope): number {
  return shard.budgets.get(scope)?.fills ?? 0;
}

function lowerTokens(
  shard: Shard,
  id: string,
  { hold, less }: { readonly hold: ModelHold; readonly less: number },
): void {
  for (const [place, scope] of scopesOf(hold).entries()) {
    const second = hold.buckets?.[2 + place] ?? 0;
    lower(shard, `tpm:${scope}`, { id, second, less });
  }
}

/** cancel of LEDGER §3; whether it was not too early. */
export function applyCancel(shard: Shard, { id, deadlineMs }: Cancellation): boolean {
  if (shard.nowMs <= deadlineMs) return false;
  const hold = shard.holds.get(id);
  if (hold === undefined || hold.state === 'settled') return true;
  if (hold.state === 'reaped') {
    correctCharge(shard, hold, { hold, tokens: 0 });
    append(shard, 'refused', { ...hold, facts: hold.row, tokens: 0, prompt: 0, completion: 0 });
    markSettled(shard, id);
    return true;
  }
  moveCounters(shard, hold, { held: -hold.held, spent: 0 });
  dropLease(shard, id, hold);
  for (const [place, scope] of scopesOf(hold).entries()) {
    lower(shard, `rpm:${scope}`, { id, second: hold.buckets?.[place] ?? 0, less: 1 });
  }
  lowerTokens(shard, id, { hold, less: hold.counted });
  shard.holds.delete(id);
  return true;
}

export function applyRenew(shard: Shard, running: readonly Running[]): RenewReply {
  const unknown: string[] = [];
  for (const { hold: told, promptTokens, completionTokens } of running) {
    const hold = shard.holds.get(told.id);
    if (hold === undefined) unknown.push(told.id);
    if (hold?.state !== 'live') continue;
    keepLease(shard, told.id, hold);
    hold.prompt = Math.max(hold.prompt, promptTokens);
    hold.completion = Math.max(hold.completion, completionTokens);
  }
  const { life, nowMs } = shard;
  return { nowMs, lifeId: life?.id ?? null, current: life?.run === 'this', unknown };
}

export function applyRehold(shard: Shard, running: readonly Running[], inc: string): void {
  for (const { hold: told, promptTokens, completionTokens } of running) {
    const known = shard.holds.get(told.id);
    if (known !== undefined && known.state !== 'live') continue;
    const { keyId: key, tenantId: tenant, admittedAtMs: at, heldTokens: held } = told;
    if (known === undefined) {
      shard.holds.set(told.id, {
        ...{ state: 'live', inc, key, tenant, held, at, counted: told.countedTokens },
        ...{ row: told.facts, prompt: promptTokens, completion: completionTokens, charge: 0 },
        ...{ buckets: null, fillsAtLoss: [], expiresAtMs: null },
      });
      moveCounters(shard, { key, tenant, at }, { held, spent: 0 });
    }
    keepLease(shard, told.id, { key, tenant });
  }
}

/** reap of LEDGER §3, the claim apart: how many ended. */
export function reapLapsed(shard: Shard, most: number): number {
  const lapsed = byLapse(shard)
    .filter(([, lapseMs]) => lapseMs <= shard.nowMs)
    .slice(0, most);
  for (const [id] of lapsed) {
    reapOne(shard, id, (hold) => hold.held);
  }
  return lapsed.length;
}

/** reapExit of LEDGER §3: how many ended. */
export function reapExit(shard: Shard, inc: string, most: number): number {
  const left = byLapse(shard)
    .filter(([id]) => shard.holds.get(id)?.inc === inc)
    .slice(0, most);
  for (const [id] of left) {
    reapOne(shard, id, (hold) => Math.min(hold.held, hold.prompt + hold.completion));
  }
  return left.length;
}

function reapOne(shard: Shard, id: string, chargeOf: (hold: ModelHold) => number): void {
  const hold = shard.holds.get(id);
  if (hold?.state !== 'live') throw new Error('only live holds have a lease');
  hold.charge = chargeOf(hold);
  moveCounters(shard, hold, { held: -hold.held, spent: hold.charge });
  append(shard, 'lost', { ...hold, facts: hold.row, tokens: hold.charge });
  hold.state = 'reaped';
  hold.fillsAtLoss = scopesOf(hold).map((scope) => fillsOf(shard, scope));
  hold.expiresAtMs = shard.nowMs + REAPED_MS;
  dropLease(shard, id, hold);
}

function byLapse(shard: Shard): readonly (readonly [string, number])[] {
  return [...shard.lapse].sort(([a, at], [b, bt]) => at - bt || (a < b ? -1 : 1));
}

function markSettled(shard: Shard, id: string): void {
  shard.holds.set(id, {
    ...{ state: 'settled', inc: '', key: '', tenant: '', held: 0, at: 0, counted: 0, row: '' },
    ...{ prompt: 0, completion: 0, charge: 0, fillsAtLoss: [], buckets: null },
    expiresAtMs: shard.nowMs + SETTLED_MS,
  });
}

function dropLease(shard: Shard, id: string, of: ModelHold): void {
  shard.lapse.delete(id);
  for (const scope of scopesOf(of)) shard.leases.get(scope)?.delete(id);
}

/** Appends an event; also of a refusal (note). */
export function append(
  shard: Shard,
  kind: ModelEvent['kind'],
  event: Pick<ModelEvent, 'facts' | 'key' | 'tenant' | 'at' | 'tokens'> & Partial<ModelEvent>,
): void {
  const { facts, key, tenant, at, tokens, prompt = 0, completion = 0 } = event;
  const made = { kind, facts, key, tenant, at, tokens, prompt, completion };
  shard.events = [...shard.events, made];
}
