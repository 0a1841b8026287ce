-- breaking
--
-- The truth of the gateway: who may call, how much, and what was used. Redis decides admissions in
-- the moment; everything it knows can be made again from here.

create schema gateway;

create type gateway.tenant_status as enum ('active', 'suspended', 'closed');
create type gateway.key_status as enum ('active', 'revoked');
create type gateway.budget_period as enum ('day', 'month', 'total');

create table gateway.tenants (
  id                     uuid primary key default gen_random_uuid(),
  slug                   text not null,
  name                   text not null,
  status                 gateway.tenant_status not null default 'active',
  allow_all_models       boolean not null default false,
  allowed_models         text[] not null default '{}',
  allow_runtime_options  boolean not null default false,
  max_num_ctx            integer,
  audit_retention_days   integer not null default 90,
  version                bigint not null default 1,
  created_at             timestamptz not null default now(),
  updated_at             timestamptz not null default now(),
  constraint tenants_slug_is_unique unique (slug),
  constraint tenants_slug_is_well_formed check (slug ~ '^[a-z0-9-]{2,40}$'),
  constraint tenants_name_has_a_length check (char_length(name) between 1 and 200),
  constraint tenants_models_are_bounded check (
    cardinality(allowed_models) <= 1000 and array_position(allowed_models, null) is null
  ),
  constraint tenants_max_num_ctx_is_positive check (max_num_ctx between 4 and 10000000),
  constraint tenants_retention_is_sane check (audit_retention_days between 1 and 3650)
);

create table gateway.api_keys (
  id                   uuid primary key default gen_random_uuid(),
  tenant_id            uuid not null references gateway.tenants (id),
  public_id            text not null,
  name                 text not null default '',
  hash                 text not null,
  secret_tag           bytea,
  status               gateway.key_status not null default 'active',
  expires_at           timestamptz,
  allow_all_models     boolean,
  allowed_models       text[],
  prompt_log           boolean not null default false,
  prompt_log_ttl_days  integer not null default 7,
  version              bigint not null default 1,
  created_at           timestamptz not null default now(),
  updated_at           timestamptz not null default now(),
  revoked_at           timestamptz,
  constraint api_keys_public_id_is_unique unique (public_id),
  constraint api_keys_public_id_is_well_formed check (public_id ~ '^[A-Za-z0-9]{12}$'),
  constraint api_keys_name_has_a_length check (char_length(name) <= 200),
  constraint api_keys_hash_is_argon2id check (
    hash ~ ('^[$]argon2id[$]v=19[$]m=[1-9][0-9]{0,6},t=[1-9][0-9]?,p=[1-9][0-9]?'
      '[$][A-Za-z0-9+/]{11,86}[$][A-Za-z0-9+/]{22,86}$')
  ),
  -- The bounds of the settings: a dearer one would keep a worker's only Argon2 thread from all others.
  constraint api_keys_hash_is_affordable check (
    substring(hash from 'm=([0-9]{1,7}),')::integer between 8 and 1048576
    and substring(hash from ',t=([0-9]{1,2}),')::integer between 1 and 20
    and substring(hash from ',p=([0-9]{1,2})[$]')::integer between 1 and 16
  ),
  constraint api_keys_secret_tag_has_16_bytes check (octet_length(secret_tag) = 16),
  constraint api_keys_models_are_bounded check (
    cardinality(allowed_models) <= 1000 and array_position(allowed_models, null) is null
  ),
  constraint api_keys_ttl_is_sane check (prompt_log_ttl_days between 1 and 3650),
  constraint api_keys_revoked_has_a_time check ((status = 'revoked') = (revoked_at is not null))
);
create index api_keys_tenant on gateway.api_keys (tenant_id);

create table gateway.tenant_limits (
  tenant_id            uuid primary key references gateway.tenants (id) on delete cascade,
  requests_per_minute  integer,
  tokens_per_minute    bigint,
  concurrency          integer,
  budget_tokens        bigint,
  budget_period        gateway.budget_period,
  max_output_tokens    integer,
  constraint tenant_limits_are_not_negative check (
    requests_per_minute >= 0 and tokens_per_minute >= 0 and concurrency >= 0
    and budget_tokens >= 0 and max_output_tokens >= 0
  ),
  constraint tenant_limits_are_exact_in_redis check (
    tokens_per_minute <= 1000000000000000 and budget_tokens <= 1000000000000000
  ),
  constraint tenant_limits_budget_has_a_period check ((budget_tokens is null) = (budget_period is null))
);

create table gateway.key_limits (
  key_id               uuid primary key references gateway.api_keys (id) on delete cascade,
  requests_per_minute  integer,
  tokens_per_minute    bigint,
  concurrency          integer,
  budget_tokens        bigint,
  budget_period        gateway.budget_period,
  max_output_tokens    integer,
  constraint key_limits_are_not_negative check (
    requests_per_minute >= 0 and tokens_per_minute >= 0 and concurrency >= 0
    and budget_tokens >= 0 and max_output_tokens >= 0
  ),
  constraint key_limits_are_exact_in_redis check (
    tokens_per_minute <= 1000000000000000 and budget_tokens <= 1000000000000000
  ),
  constraint key_limits_budget_has_a_period check ((budget_tokens is null) = (budget_period is null))
);

-- What was asked and what became of it; no prompt text. Rows come from the gateway alone, so there
-- is no foreign key to check for each of millions of them.
create table gateway.audit_log (
  id                 uuid not null,
  admitted_at        timestamptz not null,
  tenant_id          uuid not null,
  key_id             uuid not null,
  client_address     inet,
  client_request_id  text,
  dialect            text not null,
  endpoint           text not null,
  model              text,
  status             smallint not null,
  outcome            text not null,
  refusal_code       text,
  prompt_tokens      bigint not null default 0,
  completion_tokens  bigint not null default 0,
  charged_tokens     bigint not null default 0,
  count_source       text not null,
  first_token_ms     integer,
  duration_ms        integer not null,
  bytes_out          bigint not null default 0,
  streamed           boolean not null,
  constraint audit_log_pkey primary key (admitted_at, id),
  constraint audit_log_dialect_is_known check (dialect in ('native', 'openai')),
  constraint audit_log_outcome_is_known check (
    outcome in ('ok', 'client_gone', 'upstream_error', 'upstream_incomplete', 'revoked', 'lost', 'refused')
  ),
  constraint audit_log_refusal_has_a_code check ((outcome = 'refused') = (refusal_code is not null)),
  constraint audit_log_source_is_known check (count_source in ('reported', 'estimated', 'none')),
  constraint audit_log_tokens_are_not_negative check (
    prompt_tokens >= 0 and completion_tokens >= 0 and charged_tokens >= 0
  )
) partition by range (admitted_at);
create index audit_log_tenant on gateway.audit_log (tenant_id, admitted_at);
create index audit_log_key on gateway.audit_log (key_id, admitted_at);

create table gateway.prompt_log (
  id          uuid primary key,
  tenant_id   uuid not null references gateway.tenants (id),
  key_id      uuid not null references gateway.api_keys (id),
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  cut         boolean not null default false,
  nonce       bytea not null,
  sealed      bytea not null,
  constraint prompt_log_nonce_has_12_bytes check (octet_length(nonce) = 12),
  constraint prompt_log_ends_after_it_began check (expires_at > created_at)
);
create index prompt_log_expiry on gateway.prompt_log (expires_at);

create table gateway.token_ledger (
  tenant_id          uuid not null references gateway.tenants (id),
  key_id             uuid not null references gateway.api_keys (id),
  model              text not null,
  day                date not null,
  requests           bigint not null default 0,
  prompt_tokens      bigint not null default 0,
  completion_tokens  bigint not null default 0,
  charged_tokens     bigint not null default 0,
  sealed             boolean not null default false,
  constraint token_ledger_pkey primary key (tenant_id, key_id, model, day),
  constraint token_ledger_sums_are_not_negative check (
    requests >= 0 and prompt_tokens >= 0 and completion_tokens >= 0 and charged_tokens >= 0
  )
);
create index token_ledger_key on gateway.token_ledger (key_id, day);

-- The act of revoking, and the log of every other change, in one. Serial ids commit out of order;
-- a reader must go by xid and the snapshot's xmin, never by "id greater than the last seen".
create table gateway.revocations (
  id          bigint generated always as identity primary key,
  kind        text not null default 'revocation',
  key_id      uuid references gateway.api_keys (id),
  tenant_id   uuid references gateway.tenants (id),
  reason      text,
  xid         xid8 not null default pg_current_xact_id(),
  created_at  timestamptz not null default now(),
  created_by  text not null default session_user,
  constraint revocations_kind_is_known check (kind in ('revocation', 'change')),
  constraint revocations_names_one check ((key_id is null) <> (tenant_id is null)),
  constraint revocations_reason_has_a_length check (char_length(reason) <= 1000)
);
create index revocations_xid on gateway.revocations (xid);
create index revocations_changes on gateway.revocations (xid) where kind = 'change';
create index revocations_key on gateway.revocations (key_id) where key_id is not null;
create index revocations_tenant on gateway.revocations (tenant_id) where tenant_id is not null;

-- Entries of the audit stream that Postgres refused (a poison entry): kept, so that the drain goes on
-- and nothing is lost. The schema is there already where `nzgw migrate` runs this file.
create schema if not exists gateway_meta;
create table gateway_meta.rejected_events (
  id        bigint generated always as identity primary key,
  shard     integer not null,
  event     text not null,
  sqlstate  text not null,
  at        timestamptz not null default now(),
  constraint rejected_events_shard_is_a_shard check (shard between 0 and 98),
  constraint rejected_events_sqlstate_is_one check (sqlstate ~ '^[0-9A-Z]{5}$')
);

-- Which transactions were over when, so that lines of the log may go once every gateway has read them.
create table gateway_meta.log_marks (
  at           timestamptz primary key,
  over_before  xid8 not null
);
