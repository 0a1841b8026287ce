import { letterOf, listUseKeys } from './admit-request.ts';
import type { AdmitLimits } from './admit-request.ts';
import { KEYS } from './keys.ts';
import { readReply } from './reply.ts';

export interface PeekRequest {
  readonly tenantId: string;
  readonly keyId: string;
  readonly keyLimits: AdmitLimits;
  readonly tenantLimits: AdmitLimits;
}

/** What one level has used, limited or not. */
export interface PeekLevel {
  /** In the last minute. */
  readonly requests: number;
  readonly tokens: number;
  readonly running: number;
  /** Of the budget's period; null without a budget. */
  readonly spentTokens: number | null;
  readonly heldTokens: number | null;
}

export type PeekReply =
  | {
      readonly kind: 'ok';
      readonly nowMs: number;
      readonly key: PeekLevel;
      readonly tenant: PeekLevel;
    }
  | { readonly kind: 'life' | 'fill'; readonly nowMs: number };

/** Keys and arguments of lua/peek-10.lua. */
export function toPeekArguments(request: PeekRequest, shard: number): readonly string[] {
  return [
    KEYS.life(shard),
    KEYS.fills(shard),
    ...listUseKeys(request, shard),
    request.keyId,
    request.tenantId,
    letterOf(request.keyLimits),
    letterOf(request.tenantLimits),
  ];
}

/** Types the reply of lua/peek-10.lua. @throws TypeError for a reply that the script does not make */
export function readPeekReply(raw: unknown): PeekReply {
  const { word, nowMs, rest } = readReply('peek', raw, ['ok', 'life', 'fill']);
  if (word !== 'ok') return { kind: word, nowMs };
  const level = (at: 0 | 1): PeekLevel => ({
    requests: Number(rest[at]),
    tokens: Number(rest[2 + at]),
    running: Number(rest[4 + at]),
    spentTokens: rest[6 + 2 * at] as number | null,
    heldTokens: rest[7 + 2 * at] as number | null,
  });
  return { kind: 'ok', nowMs, key: level(0), tenant: level(1) };
}
