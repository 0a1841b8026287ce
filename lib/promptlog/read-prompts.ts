import type { Connection } from '../store/postgres.ts';
import type { ReplyText } from './reply-text.ts';
import { derivePromptKey, openPrompt } from './seal-prompt.ts';

/** What is to be read: a tenant's entries, oldest first. */
export interface PromptQuestion {
  readonly tenantId: string;
  /** Null: of all its keys. */
  readonly keyId: string | null;
  /** First UTC day, `2026-11-23`; null: all there is. */
  readonly sinceDay: string | null;
  /** Where the last page ended; null: from the start. */
  readonly after: PromptCursor | null;
  readonly limit: number;
}

export interface PromptCursor {
  /** As Postgres writes it: to the microsecond, which a Date does not hold. */
  readonly createdAt: string;
  readonly id: string;
}

/** What was sealed: the request as it went to the model, a text where it was cut, and the reply. */
export interface PromptText {
  readonly endpoint: string;
  readonly model: string;
  readonly request: unknown;
  readonly reply: ReplyText;
}

export interface PromptEntry {
  readonly id: string;
  /** Public id of the key. */
  readonly publicId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly cut: boolean;
  readonly sealedBytes: number;
  /** Null: it cannot be opened with this secret, or is not as it was written. */
  readonly text: PromptText | null;
  readonly cursor: PromptCursor;
}

interface Row {
  readonly id: string;
  readonly key_id: string;
  readonly public_id: string;
  readonly created_at: Date;
  readonly created_text: string;
  readonly expires_at: Date;
  readonly cut: boolean;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

/** One page, opened. What has expired is gone, whether or not it was deleted yet. */
export async function readPrompts(
  connection: Connection,
  secret: string,
  { tenantId, keyId, sinceDay, after, limit }: PromptQuestion,
): Promise<readonly PromptEntry[]> {
  const key = derivePromptKey(secret, tenantId);
  const { rows } = await connection.query<Row>(SELECT, [
    tenantId,
    keyId,
    sinceDay,
    after?.createdAt ?? null,
    after?.id ?? null,
    limit,
  ]);
  return rows.map((row) => {
    const text = openPrompt(key, { id: row.id, tenantId, keyId: row.key_id }, row);
    return {
      id: row.id,
      publicId: row.public_id,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      cut: row.cut,
      sealedBytes: row.sealed.length,
      text: text === null ? null : (JSON.parse(text) as PromptText),
      cursor: { createdAt: row.created_text, id: row.id },
    };
  });
}

const SELECT = `
  select p.id, p.key_id, k.public_id, p.created_at, p.created_at::text as created_text,
    p.expires_at, p.cut, p.nonce, p.sealed
  from gateway.prompt_log p join gateway.api_keys k on k.id = p.key_id
  where p.tenant_id = $1 and ($2::uuid is null or p.key_id = $2) and p.expires_at > now()
    and ($3::date is null or p.created_at >= $3::date::timestamp at time zone 'UTC')
    and ($4::timestamptz is null or (p.created_at, p.id) > ($4, $5::uuid))
  order by p.created_at, p.id limit $6`;
