import { createHash } from 'node:crypto';

const PREFIX = 'nz1:';
const CRC16_POLYNOMIAL = 0x1021;

/** Whose limits, leases and budgets: a key's or a tenant's. */
export type Scope = `k:${string}` | `t:${string}`;

/**
 * Every key name of the ledger. What belongs to a tenant carries the hash tag of its shard, so that
 * one script touches one slot of Redis Cluster (DESIGN §5). Scripts that meet a hold without having
 * been told its names derive them from the name of `life`: lua/*.lua know the same words.
 */
export const KEYS = {
  life: (shard: number): string => `${shardPrefix(shard)}life`,
  events: (shard: number): string => `${shardPrefix(shard)}events`,
  fills: (shard: number): string => `${shardPrefix(shard)}fills`,
  lapse: (shard: number): string => `${shardPrefix(shard)}lapse`,
  /** Scopes that have counters: what the owner compares. */
  scopes: (shard: number): string => `${shardPrefix(shard)}scopes`,
  hold: (shard: number, admissionId: string): string => `${shardPrefix(shard)}hold:${admissionId}`,
  requests: (shard: number, scope: Scope): string => `${shardPrefix(shard)}rpm:${scope}`,
  tokens: (shard: number, scope: Scope): string => `${shardPrefix(shard)}tpm:${scope}`,
  leases: (shard: number, scope: Scope): string => `${shardPrefix(shard)}lease:${scope}`,
  budget: (shard: number, scope: Scope): string => `${shardPrefix(shard)}budget:${scope}`,
  revokedKey: (shard: number, keyId: string): string => `${shardPrefix(shard)}revoked:k:${keyId}`,
  revokedTenant: (shard: number, tenantId: string): string =>
    `${shardPrefix(shard)}revoked:t:${tenantId}`,
  verifiedEntry: (keyId: string): string => `${PREFIX}auth:${keyId}`,
  failures: (address: string): string => `${PREFIX}fail:${address}`,
  /** By digest: an upstream's URL is nobody's business who may read Redis. */
  models: (upstreamUrl: string): string =>
    `${PREFIX}models:${createHash('sha256').update(upstreamUrl).digest('hex').slice(0, 32)}`,
} as const;

/** The shard of a tenant: CRC-16 of its id mod N. N never changes after `nzgw migrate`. */
export function shardOf(tenantId: string, shards: number): number {
  return shards === 1 ? 0 : crc16(Buffer.from(tenantId)) % shards;
}

/** CRC-16 XMODEM, the one of Redis Cluster. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = ((crc << 1) ^ (crc & 0x8000 ? CRC16_POLYNOMIAL : 0)) & 0xffff;
    }
  }
  return crc;
}

function shardPrefix(shard: number): string {
  return `${PREFIX}{s${String(shard).padStart(2, '0')}}:`;
}
