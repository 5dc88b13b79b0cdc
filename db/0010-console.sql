-- What operators do is recorded whatever it is, each act once; and runs of `reconcile` are, with what they found.

alter table operator_actions
    add column variant_id varchar(100),
    add column key_id uuid,
    -- Of the page that confirmed it. Two operators who see the same get the same, so that the act is done once.
    add column form uuid,
    drop constraint operator_actions_kind_check,
    add constraint operator_actions_kind_check check (
        kind in (
            'bind', 'adjust', 'match', 'grant', 'grant_end', 'discard', 'map', 'retry', 'revoke', 'fetch', 'reconcile'
        )
    ),
    drop constraint operator_actions_user_check,
    add constraint operator_actions_user_check
        check (kind in ('discard', 'map', 'retry', 'fetch', 'reconcile') or user_id is not null),
    add constraint operator_actions_map_check check (kind <> 'map' or (variant_id is not null and plan_id is not null)),
    add constraint operator_actions_retry_check check (kind <> 'retry' or event_id is not null),
    add constraint operator_actions_revoke_check check (kind <> 'revoke' or key_id is not null),
    add constraint operator_actions_fetch_check check (kind <> 'fetch' or subscription_id is not null);
create unique index operator_actions_form_key on operator_actions (form);
create index idx_operator_actions_created_at on operator_actions (created_at, id);
create index idx_operator_actions_event on operator_actions (event_id) where event_id is not null;

create table reconcile_runs (
    id uuid primary key default gen_random_uuid(),
    started_at timestamptz not null default now(),
    -- Null: it is under way, or was cut short.
    ended_at timestamptz,
    dry_run boolean not null,
    -- Invoices and orders were read down to this moment; null: all were.
    since timestamptz,
    -- Null: the service itself, after its start.
    acted_by varchar(255),
    acted_from varchar(255),
    calls integer not null default 0,
    seen integer not null default 0,
    stored integer not null default 0,
    -- What was found, as it is shown: outcomes, what waits, accounts that differ.
    findings jsonb,
    -- Why it ended early.
    failure text
);
create index idx_reconcile_runs_started_at on reconcile_runs (started_at, id);

insert into schema_migrations (version, name) values (10, 'console');
