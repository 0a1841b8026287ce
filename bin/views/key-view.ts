import type { Key } from '../../lib/tenants/key.ts';
import { toLimitsDocument, toLimitsFacts, showTime, toTime } from './limits-view.ts';
import type { LimitsDocument } from './limits-view.ts';

/** A key in `--json`; never what proves it. */
export interface KeyDocument {
  readonly id: string;
  readonly prefix: string;
  readonly tenant: string;
  readonly name: string;
  readonly status: string;
  readonly expired: boolean;
  readonly created_at: string;
  readonly updated_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly prompt_log: boolean;
  readonly prompt_log_days: number;
  readonly limits: LimitsDocument;
}

/** A key that has just been made: the only document that holds what proves it. */
export interface MadeKeyDocument extends Pick<
  KeyDocument,
  'id' | 'prefix' | 'tenant' | 'name' | 'created_at' | 'expires_at' | 'limits'
> {
  readonly key: string;
}

/** The part that may be shown: `nz_` and the public id. */
export function toPrefix(key: Pick<Key, 'publicId'>): string {
  return `nz_${key.publicId}`;
}

export function isExpired(key: Pick<Key, 'expiresAt'>, nowMs: number): boolean {
  return key.expiresAt !== null && key.expiresAt.getTime() <= nowMs;
}

export function toKeyDocument(key: Key, nowMs: number): KeyDocument {
  return {
    id: key.id,
    prefix: toPrefix(key),
    tenant: key.tenant,
    name: key.name,
    status: key.status,
    expired: isExpired(key, nowMs),
    created_at: toTime(key.createdAt),
    updated_at: toTime(key.updatedAt),
    expires_at: toTime(key.expiresAt),
    revoked_at: toTime(key.revokedAt),
    prompt_log: key.promptLog,
    prompt_log_days: key.promptLogDays,
    limits: toLimitsDocument(key),
  };
}

export function toMadeKeyDocument(key: Key, secret: string): MadeKeyDocument {
  return {
    id: key.id,
    key: secret,
    prefix: toPrefix(key),
    tenant: key.tenant,
    name: key.name,
    created_at: toTime(key.createdAt),
    expires_at: toTime(key.expiresAt),
    limits: toLimitsDocument(key),
  };
}

export function toKeyFacts(key: Key, nowMs: number): Readonly<Record<string, string>> {
  return {
    key: toPrefix(key),
    name: key.name,
    id: key.id,
    tenant: key.tenant,
    status: showStatus(key, nowMs),
    expires: showExpiry(key.expiresAt),
    ...toLimitsFacts(key.limits, showKeyModels(key)),
    'prompt log': key.promptLog ? `kept for ${key.promptLogDays} days` : 'no',
    created: showTime(key.createdAt),
    changed: showTime(key.updatedAt),
    revoked: key.revokedAt === null ? 'no' : showTime(key.revokedAt),
  };
}

/** In the words of SPEC §3: a key's own list narrows, and only `true` is wider than the tenant. */
export function showKeyModels(key: Pick<Key, 'allowAllModels' | 'allowedModels'>): string {
  const { allowAllModels, allowedModels } = key;
  if (allowAllModels === true) return 'all';
  if (allowedModels !== null) {
    const names = allowedModels.join(', ');
    return names === '' ? 'none' : `the tenant's among ${names}`;
  }
  return allowAllModels === null ? "as the tenant's" : "the tenant's list alone";
}

export function showStatus(key: Key, nowMs: number): string {
  return key.status === 'active' && isExpired(key, nowMs) ? 'expired' : key.status;
}

export function showExpiry(expiresAt: Date | null): string {
  return expiresAt === null ? 'never' : showTime(expiresAt);
}
