import { createHash } from 'node:crypto';

const PREFIX = 'nz1:';
const CRC16_POLYNOMIAL = 0x1021;

/**
 * Every key name of the ledger. What belongs to a tenant carries the hash tag of its shard, so that
 * one script touches one slot of Redis Cluster (DESIGN §5).
 */
export const KEYS = {
  events: (shard: number): string => `${shardPrefix(shard)}events`,
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
