import type { PostgresClient } from '../store/postgres.ts';

/** What audit rows change of one line of the ledger. Tokens are text: they may not fit a number. */
export interface LedgerChange {
  readonly tenantId: string;
  readonly keyId: string;
  readonly model: string;
  /** UTC day, as a date of Postgres. */
  readonly day: string;
  readonly requests: number;
  readonly promptTokens: string;
  readonly completionTokens: string;
  readonly chargedTokens: string;
}

const CHANGE = `json_to_recordset($1::json) as change (
      "tenantId" uuid, "keyId" uuid, model text, day date, requests bigint,
      "promptTokens" bigint, "completionTokens" bigint, "chargedTokens" bigint
    )`;

const ADD = {
  name: 'nzgw-add-to-ledger',
  text: `
    insert into gateway.token_ledger as line (
      tenant_id, key_id, model, day, requests, prompt_tokens, completion_tokens, charged_tokens
    )
    select * from ${CHANGE}
    on conflict (tenant_id, key_id, model, day) do update set
      requests = line.requests + excluded.requests,
      prompt_tokens = line.prompt_tokens + excluded.prompt_tokens,
      completion_tokens = line.completion_tokens + excluded.completion_tokens,
      charged_tokens = line.charged_tokens + excluded.charged_tokens`,
} as const;

/** Not by the statement above: a check of the table refuses a negative row before any conflict. */
const TAKE = {
  name: 'nzgw-take-from-ledger',
  text: `
    update gateway.token_ledger line set
      requests = line.requests - change.requests,
      prompt_tokens = line.prompt_tokens - change."promptTokens",
      completion_tokens = line.completion_tokens - change."completionTokens",
      charged_tokens = line.charged_tokens - change."chargedTokens"
    from ${CHANGE}
    where line.tenant_id = change."tenantId" and line.key_id = change."keyId"
      and line.model = change.model and line.day = change.day`,
} as const;

/** Adds first, so that no sum falls below zero on the way. Rejects as Postgres does. */
export async function changeLedger(
  client: Pick<PostgresClient, 'query'>,
  { added, taken }: { added: readonly LedgerChange[]; taken: readonly LedgerChange[] },
): Promise<void> {
  if (added.length > 0) await client.query({ ...ADD, values: [JSON.stringify(added)] });
  if (taken.length > 0) await client.query({ ...TAKE, values: [JSON.stringify(taken)] });
}
