-- The twin of 0007-discard.sql.

create table operator_actions_of_events_too (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    kind text not null check (kind in ('bind', 'adjust', 'match', 'grant', 'grant_end', 'discard')),
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
    check (kind <> 'bind' or subscription_id is not null),
    check (kind <> 'adjust' or (units is not null and line is not null and begins_at is not null)),
    check (kind <> 'match' or subscription_id is not null),
    check (kind <> 'grant' or plan_id is not null),
    check (kind = 'discard' or user_id is not null),
    check (kind <> 'discard' or event_id is not null)
) strict;
insert into operator_actions_of_events_too (
    id, kind, user_id, subscription_id, units, line, begins_at, reason, created_at, plan_id, until, acted_by,
    acted_from
)
select id, kind, user_id, subscription_id, units, line, begins_at, reason, created_at, plan_id, until, acted_by, acted_from
from operator_actions;
drop table operator_actions;
alter table operator_actions_of_events_too rename to operator_actions;
create index idx_operator_actions_subscription on operator_actions (subscription_id);
create index idx_operator_actions_user on operator_actions (user_id);

insert into schema_migrations (version, name) values (7, 'discard');
