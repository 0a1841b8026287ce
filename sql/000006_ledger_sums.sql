-- not breaking
--
-- A budget counter is filled from the sum of a key's or a tenant's lines of a day, a month or all time.
-- The primary key begins with the tenant, but has key and model before the day: the sum of one day
-- walked every line that the tenant ever had.

create index token_ledger_tenant_sums on gateway.token_ledger (tenant_id, day) include (charged_tokens);
create index token_ledger_key_sums on gateway.token_ledger (key_id, day) include (charged_tokens);
drop index gateway.token_ledger_key;
