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
  const levels = levelsOf(request).map(({ scope, limits }) => {
    const sum = (name: string): number => lookAt(shard.windows.get(name), nowMs).sum;
    const period = periodOf(limits, nowMs);
    const counter = period === null ? undefined : findCounter(shard, scope, period);
    const level: PeekLevel = {
      requests: sum(`rpm:${scope}`),
      tokens: sum(`tpm:${scope}`),
      running: countRunning(shard, scope),
      spentTokens: counter?.spent ?? null,
      heldTokens: counter?.held ?? null,
    };
    const missing = period !== null && counter === undefined ? [`${scope}|${period}`] : [];
    return { level, missing };
  });
  const missing = levels.flatMap((one) => one.missing);
  for (const name of missing) shard.fills.add(name);
  const [key, tenant] = levels.map(({ level }) => level);
  if (missing.length > 0 || key === undefined || tenant === undefined) {
    return { kind: 'fill', nowMs };
  }
  return { kind: 'ok', nowMs, key, tenant };
}
