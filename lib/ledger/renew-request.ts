import type { Hold, Progress } from './hold.ts';
import { readReply } from './reply.ts';

/** What Redis knows of a shard and of the holds it was asked about. */
export interface RenewReply {
  readonly nowMs: number;
  /** Null before the shard's first life. */
  readonly lifeId: string | null;
  /** That life is of this run of Redis: nothing acknowledged in it was lost. */
  readonly current: boolean;
  /** Admission ids that Redis does not know. */
  readonly unknown: readonly string[];
}

export interface Running extends Progress {
  readonly hold: Hold;
}

/** What lua/renew-2.lua takes after its first argument. */
export function toRenewArguments(running: readonly Running[]): readonly (string | number)[] {
  return running.flatMap(({ hold, promptTokens, completionTokens }) => [
    hold.id,
    promptTokens,
    completionTokens,
  ]);
}

/** What lua/rehold-2.lua takes after its first argument. */
export function toReholdArguments(
  running: readonly Running[],
  incarnation: string,
): readonly (string | number)[] {
  return running.flatMap(({ hold, promptTokens, completionTokens }) => [
    hold.id,
    incarnation,
    hold.keyId,
    hold.tenantId,
    hold.admittedAtMs,
    hold.heldTokens,
    hold.countedTokens,
    promptTokens,
    completionTokens,
    hold.facts,
  ]);
}

/** Types the reply of lua/renew-2.lua. @throws TypeError for a reply that the script does not make */
export function readRenewReply(raw: unknown): RenewReply {
  const { nowMs, rest } = readReply('renew', raw, ['ok']);
  const [lifeId, current, unknown] = rest;
  return {
    nowMs,
    lifeId: lifeId === '' ? null : String(lifeId),
    current: current === 1,
    unknown: unknown as readonly string[],
  };
}
