-- What nzgw migrate itself needs, before the first numbered file. It is run whenever something is
-- applied: whatever stands here must do nothing where it is there already.

create schema if not exists gateway_meta;

create table if not exists gateway_meta.migrations (
  id          integer primary key,
  name        text not null,
  digest      text not null,
  breaking    boolean not null,
  applied_at  timestamptz not null default now()
);

create table if not exists gateway_meta.settings (
  single  boolean primary key default true,
  shards  integer not null,
  constraint settings_has_one_row check (single),
  constraint settings_shards_fit_two_digits check (shards between 1 and 99)
);

comment on schema gateway_meta is 'neuronetz-gateway: what was done to this database.';
comment on table gateway_meta.migrations is 'Files of sql/ that were applied.';
comment on column gateway_meta.migrations.id is 'Number of the file.';
comment on column gateway_meta.migrations.name is 'Name of the file without its ending.';
comment on column gateway_meta.migrations.digest is 'SHA-256 of its text, in hex.';
comment on column gateway_meta.migrations.breaking is 'Whether a program that lacks the file must not run.';
comment on column gateway_meta.migrations.applied_at is 'When it was applied.';
comment on table gateway_meta.settings is 'What is fixed for the life of this database, in one row.';
comment on column gateway_meta.settings.single is 'Always true.';
comment on column gateway_meta.settings.shards is 'Shards of Redis: 1, or more for Redis Cluster.';
