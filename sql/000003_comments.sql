-- not breaking
--
-- What everything means, where whoever looks into the database will read it.

comment on schema gateway is 'neuronetz-gateway: tenants, keys, limits, audit, ledger.';
comment on type gateway.tenant_status is 'active: served; suspended: refused with 403; closed: refused as if the key did not exist.';
comment on type gateway.key_status is 'active: usable until it expires; revoked: never again.';
comment on type gateway.budget_period is 'When a budget begins anew: each UTC day, each UTC month, or never.';

comment on table gateway.tenants is 'The customers that own keys.';
comment on column gateway.tenants.id is 'Never changes; what every other table refers to.';
comment on column gateway.tenants.slug is 'Short name for people and the command line.';
comment on column gateway.tenants.name is 'Full name for people.';
comment on column gateway.tenants.status is 'Whether its keys are served.';
comment on column gateway.tenants.allow_all_models is 'Its keys may use every discovered model, whatever the list says.';
comment on column gateway.tenants.allowed_models is 'Models its keys may use: name means name:latest, name:* every tag.';
comment on column gateway.tenants.allow_runtime_options is 'Clients may set num_ctx, keep_alive and other options that reload a model.';
comment on column gateway.tenants.max_num_ctx is 'Largest num_ctx a client may set; null: none.';
comment on column gateway.tenants.audit_retention_days is 'Days after which its audit rows are deleted.';
comment on column gateway.tenants.version is 'Rises with every change of the row or of its limits; caches are valid for one version.';
comment on column gateway.tenants.created_at is 'When it was made.';
comment on column gateway.tenants.updated_at is 'When the row or its limits last changed.';

comment on table gateway.api_keys is 'API keys. The secret itself is never here: only its Argon2id hash and a tag.';
comment on column gateway.api_keys.id is 'Never changes; what every other table refers to.';
comment on column gateway.api_keys.tenant_id is 'Who owns the key.';
comment on column gateway.api_keys.public_id is 'The part of the key that may be shown: 12 base62 characters.';
comment on column gateway.api_keys.name is 'What its owner calls it.';
comment on column gateway.api_keys.hash is 'Argon2id of the secret, in PHC form.';
comment on column gateway.api_keys.secret_tag is '16 bytes of HMAC-SHA-256 of the secret under the pepper; null until the key was first used.';
comment on column gateway.api_keys.status is 'Set to revoked by an insert into gateway.revocations.';
comment on column gateway.api_keys.expires_at is 'No request is admitted from then on; null: never.';
comment on column gateway.api_keys.allow_all_models is 'true: every discovered model, whatever the tenant''s; false: the lists alone; null: as the tenant.';
comment on column gateway.api_keys.allowed_models is 'Narrows what the key may use; null: not narrowed.';
comment on column gateway.api_keys.prompt_log is 'Whether requests and replies are kept, encrypted.';
comment on column gateway.api_keys.prompt_log_ttl_days is 'Days after which they are deleted.';
comment on column gateway.api_keys.version is 'Rises with every change of the row or of its limits; caches are valid for one version.';
comment on column gateway.api_keys.created_at is 'When it was made.';
comment on column gateway.api_keys.updated_at is 'When the row or its limits last changed.';
comment on column gateway.api_keys.revoked_at is 'When it was revoked; null while active.';

comment on table gateway.tenant_limits is 'Limits of a tenant over all its keys. null: no limit; 0: nothing allowed.';
comment on column gateway.tenant_limits.tenant_id is 'Whose limits they are.';
comment on column gateway.tenant_limits.requests_per_minute is 'Requests admitted in any 60 seconds.';
comment on column gateway.tenant_limits.tokens_per_minute is 'Tokens admitted in any 60 seconds.';
comment on column gateway.tenant_limits.concurrency is 'Requests running at once.';
comment on column gateway.tenant_limits.budget_tokens is 'Tokens that may be spent in a period.';
comment on column gateway.tenant_limits.budget_period is 'The period of the budget.';
comment on column gateway.tenant_limits.max_output_tokens is 'Most tokens one reply may have.';

comment on table gateway.key_limits is 'Limits of a key, beside those of its tenant. null: no limit; 0: nothing allowed.';
comment on column gateway.key_limits.key_id is 'Whose limits they are.';
comment on column gateway.key_limits.requests_per_minute is 'Requests admitted in any 60 seconds.';
comment on column gateway.key_limits.tokens_per_minute is 'Tokens admitted in any 60 seconds.';
comment on column gateway.key_limits.concurrency is 'Requests running at once.';
comment on column gateway.key_limits.budget_tokens is 'Tokens that may be spent in a period.';
comment on column gateway.key_limits.budget_period is 'The period of the budget.';
comment on column gateway.key_limits.max_output_tokens is 'Most tokens one reply may have.';

comment on table gateway.audit_log is 'One row for each request of an authenticated key, without any text of it. Partitioned by UTC day.';
comment on column gateway.audit_log.id is 'The admission id, a UUIDv7; the request-id header of the reply.';
comment on column gateway.audit_log.admitted_at is 'When it was admitted or refused, by the clock of Redis.';
comment on column gateway.audit_log.tenant_id is 'The tenant of the key.';
comment on column gateway.audit_log.key_id is 'The key it came with.';
comment on column gateway.audit_log.client_address is 'Address of the client, whole, as a prefix, or not kept (NZGW_AUDIT_ADDRESS).';
comment on column gateway.audit_log.client_request_id is 'The x-request-id of the client, where it was well-formed.';
comment on column gateway.audit_log.dialect is 'native for /api, openai for /v1.';
comment on column gateway.audit_log.endpoint is 'Name of the route, never the client''s own path.';
comment on column gateway.audit_log.model is 'Canonical name of the model; null where none was named.';
comment on column gateway.audit_log.status is 'HTTP status of the reply.';
comment on column gateway.audit_log.outcome is 'How it ended.';
comment on column gateway.audit_log.refusal_code is 'Why it was refused; null if it was not.';
comment on column gateway.audit_log.prompt_tokens is 'Tokens of the prompt.';
comment on column gateway.audit_log.completion_tokens is 'Tokens of the reply.';
comment on column gateway.audit_log.charged_tokens is 'What was charged to the budgets.';
comment on column gateway.audit_log.count_source is 'Whether the counts were reported by the upstream, estimated, or there are none.';
comment on column gateway.audit_log.first_token_ms is 'Milliseconds to the first token; null where there was none.';
comment on column gateway.audit_log.duration_ms is 'Milliseconds from the first byte of the request to the end of the reply.';
comment on column gateway.audit_log.bytes_out is 'Bytes of the reply''s body.';
comment on column gateway.audit_log.streamed is 'Whether the client asked for a stream.';

comment on table gateway.prompt_log is 'Requests and replies of keys that opted in, encrypted for their tenant.';
comment on column gateway.prompt_log.id is 'The admission id.';
comment on column gateway.prompt_log.tenant_id is 'For whom it is encrypted.';
comment on column gateway.prompt_log.key_id is 'The key it came with.';
comment on column gateway.prompt_log.created_at is 'When it was written.';
comment on column gateway.prompt_log.expires_at is 'When it is deleted.';
comment on column gateway.prompt_log.cut is 'Whether it was too long and was cut.';
comment on column gateway.prompt_log.nonce is 'Nonce of AES-256-GCM.';
comment on column gateway.prompt_log.sealed is 'Ciphertext and tag.';

comment on table gateway.token_ledger is 'What was used: sums of the audit log by tenant, key, model and UTC day, which outlive its rows.';
comment on column gateway.token_ledger.tenant_id is 'Who used it.';
comment on column gateway.token_ledger.key_id is 'With which key.';
comment on column gateway.token_ledger.model is 'Which model.';
comment on column gateway.token_ledger.day is 'UTC day of admission.';
comment on column gateway.token_ledger.requests is 'Requests served.';
comment on column gateway.token_ledger.prompt_tokens is 'Sum of prompt tokens.';
comment on column gateway.token_ledger.completion_tokens is 'Sum of completion tokens.';
comment on column gateway.token_ledger.charged_tokens is 'Sum of what was charged.';
comment on column gateway.token_ledger.sealed is 'Whether audit rows of the day were deleted, so that the sums cannot be proved from them.';

comment on table gateway.revocations is 'Inserting here revokes. Also the log of every other change, which the gateways read.';
comment on column gateway.revocations.id is 'Order of insertion, not of commit: readers go by xid.';
comment on column gateway.revocations.kind is 'revocation: the act; change: written by the triggers.';
comment on column gateway.revocations.key_id is 'The key revoked or changed.';
comment on column gateway.revocations.tenant_id is 'The tenant all of whose keys are revoked, or that changed.';
comment on column gateway.revocations.reason is 'Why, in the operator''s words.';
comment on column gateway.revocations.xid is 'The transaction that wrote it, to be compared with a snapshot''s xmin.';
comment on column gateway.revocations.created_at is 'When that transaction began.';
comment on column gateway.revocations.created_by is 'The database user who wrote it.';

comment on function gateway.note_change() is 'Raises the version of a changed key or tenant and appends the change to the log.';
comment on function gateway.note_limit_change() is 'Touches the key or tenant whose limits changed, so that its version rises.';
comment on function gateway.notify_key_revoked() is 'Marks the key, or every key of the tenant, revoked and tells the gateways to look.';
comment on function gateway.refuse_change() is 'Keeps tenants and keys and what they are known by: they are ended, never deleted or renamed.';
comment on function gateway.ensure_audit_day(date) is 'Makes the audit partition of a UTC day if it is missing. Called by drainer and sweeper.';
comment on function gateway.prune_changes() is 'Takes away a batch of changes that every gateway has read long since. Called by the gateways.';

comment on table gateway_meta.log_marks is 'How far the log of changes was over at which time; a few rows.';
comment on column gateway_meta.log_marks.at is 'When it was looked at.';
comment on column gateway_meta.log_marks.over_before is 'Every transaction before this one was over by then.';

comment on table gateway_meta.rejected_events is 'Entries of the audit stream that Postgres refused, each with an alarm.';
comment on column gateway_meta.rejected_events.id is 'Order of arrival.';
comment on column gateway_meta.rejected_events.shard is 'Shard of Redis it came from.';
comment on column gateway_meta.rejected_events.event is 'The entry as it stood in the stream.';
comment on column gateway_meta.rejected_events.sqlstate is 'Why Postgres refused it.';
comment on column gateway_meta.rejected_events.at is 'When that was.';
