-- The twin of 0010-console.sql.

create table operator_actions_of_the_console_too (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    kind text not null check (
        kind in (
            'bind', 'adjust', 'match', 'grant', 'grant_end', 'discard', 'map', 'retry', 'revoke', 'fetch', 'reconcile'
        )
    ),
    user_id text references users (id) on delete cascade,
    subscription_id text check (length(subscription_id) <= 100),
    units integer,
    line text check (length(line) <= 100),
    begins_at text,
    reason text,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    plan_id text references subscription_plans (id),
    until text,
    -- Who did it, and from which host or page.
    acted_by text check (length(acted_by) <= 255),
    acted_from text check (length(acted_from) <= 255),
    event_id text check (length(event_id) = 36 and event_id = lower(event_id)),
    variant_id text check (length(variant_id) <= 100),
    key_id text check (length(key_id) = 36 and key_id = lower(key_id)),
    -- Of the page that confirmed it. Two operators who see the same get the same, so that the act is done once.
    form text check (length(form) = 36 and form = lower(form)),
    check (kind <> 'bind' or subscription_id is not null),
    check (kind <> 'adjust' or (units is not null and line is not null and begins_at is not null)),
    check (kind <> 'match' or subscription_id is not null),
    check (kind <> 'grant' or plan_id is not null),
    check (kind in ('discard', 'map', 'retry', 'fetch', 'reconcile') or user_id is not null),
    check (kind <> 'discard' or event_id is not null),
    check (kind <> 'map' or (variant_id is not null and plan_id is not null)),
    check (kind <> 'retry' or event_id is not null),
    check (kind <> 'revoke' or key_id is not null),
    check (kind <> 'fetch' or subscription_id is not null)
) strict;
insert into operator_actions_of_the_console_too (
    id, kind, user_id, subscription_id, units, line, begins_at, reason, created_at, plan_id, until, acted_by,
    acted_from, event_id
)
select id, kind, user_id, subscription_id, units, line, begins_at, reason, created_at, plan_id, until, acted_by,
    acted_from, event_id
from operator_actions;
drop table operator_actions;
alter table operator_actions_of_the_console_too rename to operator_actions;
create index idx_operator_actions_subscription on operator_actions (subscription_id);
create index idx_operator_actions_user on operator_actions (user_id);
create unique index operator_actions_form_key on operator_actions (form);
create index idx_operator_actions_created_at on operator_actions (created_at, id);
create index idx_operator_actions_event on operator_actions (event_id) where event_id is not null;

create table reconcile_runs (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    started_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- Null: it is under way, or was cut short.
    ended_at text,
    dry_run integer not null check (dry_run in (0, 1)),
    -- Invoices and orders were read down to this moment; null: all were.
    since text,
    -- Null: the service itself, after its start.
    acted_by text check (length(acted_by) <= 255),
    acted_from text check (length(acted_from) <= 255),
    calls integer not null default 0,
    seen integer not null default 0,
    stored integer not null default 0,
    -- What was found, as it is shown: outcomes, what waits, accounts that differ.
    findings text check (findings is null or json_valid(findings)),
    -- Why it ended early.
    failure text
) strict;
create index idx_reconcile_runs_started_at on reconcile_runs (started_at, id);

insert into schema_migrations (version, name) values (10, 'console');
