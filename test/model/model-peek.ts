import type { AdmitRequest } from '../../lib/ledger/admit-request.ts';
import type { PeekLevel, PeekReply } from '../../lib/ledger/peek.ts';
import { countRunning, levelsOf, periodOf } from './model-admit.ts';
import { findCounter } from './model-counters.ts';
import { lookAt } from './model-window.ts';
import type { Shard } from './shard.ts';

/** What a caller is told of its limits. */
export function applyPeek(shard: Shard, request: AdmitRequest): PeekReply {
  const { nowMs, life } = shard;
  if (life?.run !== 'this' || !life.ready) return { kind: 'life', nowMs };
  let missing = false;
  const [key, tenant] = levelsOf(request).map(({ scope, limits }): PeekLevel => {
    const sum = (name: string): number => lookAt(shard.windows.get(name), nowMs).sum;
    const period = periodOf(limits, nowMs);
    const counter = period === null ? undefined : findCounter(shard, scope, period);
    if (period !== null && counter === undefined) {
      missing = true;
      shard.fills.add(`${scope}|${period}`);
    }
    return {
      requests: sum(`rpm:${scope}`),
      tokens: sum(`tpm:${scope}`),
      running: countRunning(shard, scope),
      spentTokens: counter?.spent ?? null,
      heldTokens: counter?.held ?? null,
    };
  });
  if (missing || key === undefined || tenant === undefined) return { kind: 'fill', nowMs };
  return { kind: 'ok', nowMs, key, tenant };
}
