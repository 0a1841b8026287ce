-- not breaking
--
-- A tenant's prompts are exported in the order in which they were written.

create index prompt_log_tenant on gateway.prompt_log (tenant_id, created_at, id);
