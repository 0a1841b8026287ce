-- not breaking
--
-- A request whose worker died has a row although nobody knows how its client was answered.

comment on column gateway.audit_log.status is 'HTTP status of the reply; 0 where nobody knows it (outcome lost).';
comment on column gateway.audit_log.outcome is 'How it ended; lost: its worker was not heard of again. A settlement that comes late replaces that.';
comment on column gateway.audit_log.prompt_tokens is 'Tokens of the prompt; of a lost request, as told last.';
comment on column gateway.audit_log.completion_tokens is 'Tokens of the reply; of a lost request, as told last.';
comment on column gateway.audit_log.charged_tokens is 'What was charged to the budgets; of a lost request more than it is known to have used.';
comment on column gateway.token_ledger.requests is 'Requests admitted, whatever became of them.';
