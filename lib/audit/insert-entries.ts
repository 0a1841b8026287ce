import type { Entry } from '../ledger/entry.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { changeLedger } from './change-ledger.ts';
import type { LedgerChange } from './change-ledger.ts';
import { chooseEntries } from './choose-entries.ts';

type Client = Pick<PostgresClient, 'query'>;

/**
 * The one rule of LEDGER §3: a new row; where there is one already, it is replaced only if it says
 * `lost` and the entry does not; else nothing. Tells what that changed of the sums, old values with
 * the sign -1. One parameter whatever the batch's size, so that Postgres plans it once a session; the
 * ends of the batch's time keep it from looking into every partition.
 */
const STORE = {
  name: 'nzgw-store-entries',
  text: `
    with entry as materialized (
      select
        id, timestamptz 'epoch' + "admittedAtMs" * interval '1 millisecond' as admitted_at,
        "tenantId" as tenant_id, "keyId" as key_id, "clientAddress" as client_address,
        "clientRequestId" as client_request_id, dialect, endpoint, model, status, outcome,
        "refusalCode" as refusal_code, "promptTokens" as prompt_tokens,
        "completionTokens" as completion_tokens, "chargedTokens" as charged_tokens,
        "countSource" as count_source, "firstTokenMs" as first_token_ms,
        "durationMs" as duration_ms, "bytesOut" as bytes_out, streamed
      from json_to_recordset($1::json) as entry (
        id uuid, "admittedAtMs" bigint, "tenantId" uuid, "keyId" uuid,
        "clientAddress" inet, "clientRequestId" text, dialect text, endpoint text, model text,
        status smallint, outcome text, "refusalCode" text,
        "promptTokens" bigint, "completionTokens" bigint, "chargedTokens" bigint,
        "countSource" text, "firstTokenMs" integer, "durationMs" integer, "bytesOut" bigint,
        streamed boolean
      )
    ),
    lost as materialized (
      select kept.* from gateway.audit_log kept join entry using (admitted_at, id)
      where kept.admitted_at between $2 and $3 and kept.outcome = 'lost' and entry.outcome <> 'lost'
    ),
    replaced as (
      update gateway.audit_log kept set
        tenant_id = entry.tenant_id, key_id = entry.key_id, client_address = entry.client_address,
        client_request_id = entry.client_request_id, dialect = entry.dialect,
        endpoint = entry.endpoint, model = entry.model, status = entry.status,
        outcome = entry.outcome, refusal_code = entry.refusal_code,
        prompt_tokens = entry.prompt_tokens, completion_tokens = entry.completion_tokens,
        charged_tokens = entry.charged_tokens, count_source = entry.count_source,
        first_token_ms = entry.first_token_ms, duration_ms = entry.duration_ms,
        bytes_out = entry.bytes_out, streamed = entry.streamed
      from entry join lost using (admitted_at, id)
      where kept.admitted_at between $2 and $3
        and kept.admitted_at = entry.admitted_at and kept.id = entry.id
      returning kept.*
    ),
    added as (
      insert into gateway.audit_log (
        id, admitted_at, tenant_id, key_id, client_address, client_request_id, dialect, endpoint,
        model, status, outcome, refusal_code, prompt_tokens, completion_tokens, charged_tokens,
        count_source, first_token_ms, duration_ms, bytes_out, streamed
      )
      select * from entry
      where not exists (
        select from lost where lost.admitted_at = entry.admitted_at and lost.id = entry.id
      )
      on conflict do nothing
      returning *
    )
    select
      sign, tenant_id as "tenantId", key_id as "keyId", coalesce(model, '') as model,
      (admitted_at at time zone 'UTC')::date::text as day,
      count(*) filter (where outcome <> 'refused') as requests,
      sum(prompt_tokens)::text as "promptTokens",
      sum(completion_tokens)::text as "completionTokens",
      sum(charged_tokens)::text as "chargedTokens"
    from (
      select 1 as sign, added.* from added
      union all select 1, replaced.* from replaced
      union all select -1, lost.* from lost
    ) as change
    where outcome <> 'refused' or prompt_tokens + completion_tokens + charged_tokens > 0
    group by sign, tenant_id, key_id, coalesce(model, ''), day
    order by tenant_id, key_id, model, day`,
} as const;

/**
 * Rows and sums of entries, in the open transaction. What is there already changes nothing, so that a
 * batch may come again. Rejects as Postgres does.
 */
export async function insertEntries(client: Client, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const chosen = chooseEntries(entries);
  const times = chosen.map(({ admittedAtMs }) => admittedAtMs);
  const { rows } = await client.query<LedgerChange & { readonly sign: 1 | -1 }>({
    ...STORE,
    values: [
      JSON.stringify(chosen),
      new Date(Math.min(...times)).toISOString(),
      new Date(Math.max(...times)).toISOString(),
    ],
  });
  await changeLedger(client, {
    added: rows.filter(({ sign }) => sign === 1),
    taken: rows.filter(({ sign }) => sign === -1),
  });
}
