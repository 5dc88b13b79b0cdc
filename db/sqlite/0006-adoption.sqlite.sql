-- The twin of 0006-adoption.sql.

alter table webhook_events add column adopted_plan_id text check (length(adopted_plan_id) <= 50);
alter table webhook_events add column adopted_units integer;
alter table webhook_events add column adopted_at text;

-- Counts up whenever this program writes the row: whoever changes it otherwise is another.
alter table user_subscriptions add column written integer not null default 0;

-- Those that wait to be taken over.
create index idx_user_subscriptions_foreign on user_subscriptions (user_id, id)
    where source is null and lemon_squeezy_subscription_id is not null;

-- What another program wrote into a row that follows from events, or from a granted plan.
create table subscription_overwrites (
    id integer primary key autoincrement,
    user_id text not null references users (id) on delete cascade,
    -- The provider's; null: a granted plan's row.
    subscription_id text check (length(subscription_id) <= 100),
    status_before text not null,
    status_written text not null,
    plan_before text not null,
    plan_written text not null,
    written_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- When the row was computed again; null: not yet.
    put_right_at text
);
create index idx_subscription_overwrites_user on subscription_overwrites (user_id, id);
create index idx_subscription_overwrites_open on subscription_overwrites (id) where put_right_at is null;

create trigger record_user_subscriptions_overwrite after update on user_subscriptions
    when old.source is not null and new.written = old.written
        and (
            old.status is not new.status or old.plan_id is not new.plan_id or old.user_id is not new.user_id
            or old.current_period_start is not new.current_period_start
            or old.current_period_end is not new.current_period_end
            or old.cancel_at_period_end is not new.cancel_at_period_end
        )
begin
    insert into subscription_overwrites (
        user_id, subscription_id, status_before, status_written, plan_before, plan_written
    )
    values (
        old.user_id, old.lemon_squeezy_subscription_id, old.status, new.status, old.plan_id, new.plan_id
    );
end;

insert into schema_migrations (version, name) values (6, 'adoption');
