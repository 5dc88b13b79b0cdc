-- What another program had: its rows in `user_subscriptions` are taken over as stored events (R21), and what it writes
-- into rows of ours is seen, put right and remembered.

-- What such an event says that no delivery does: the plan by its own name, the units that the account had left, and
-- when the row was read.
alter table webhook_events
    add column adopted_plan_id varchar(50),
    add column adopted_units integer,
    add column adopted_at timestamptz;

alter table user_subscriptions
    -- Counts up whenever this program writes the row: whoever changes it otherwise is another.
    add column written integer not null default 0;

-- Those that wait to be taken over.
create index idx_user_subscriptions_foreign on user_subscriptions (user_id, id)
    where source is null and lemon_squeezy_subscription_id is not null;

-- What another program wrote into a row that follows from events, or from a granted plan.
create table subscription_overwrites (
    id bigint generated always as identity primary key,
    user_id uuid not null references users (id) on delete cascade,
    -- The provider's; null: a granted plan's row.
    subscription_id varchar(100),
    status_before varchar(50) not null,
    status_written varchar(50) not null,
    plan_before varchar(50) not null,
    plan_written varchar(50) not null,
    written_at timestamptz not null default now(),
    -- When the row was computed again; null: not yet.
    put_right_at timestamptz
);
create index idx_subscription_overwrites_user on subscription_overwrites (user_id, id);
create index idx_subscription_overwrites_open on subscription_overwrites (id) where put_right_at is null;

-- It locks no account: whoever writes here would else wait for the clock, while the clock waits for the row.
create function record_overwrite() returns trigger language plpgsql as $$
begin
    insert into subscription_overwrites (
        user_id, subscription_id, status_before, status_written, plan_before, plan_written
    )
    values (
        old.user_id, old.lemon_squeezy_subscription_id, old.status, new.status, old.plan_id, new.plan_id
    );
    return null;
end $$;
create trigger record_user_subscriptions_overwrite after update on user_subscriptions
    for each row when (
        old.source is not null and new.written = old.written
        and (
            old.status, old.plan_id, old.user_id, old.current_period_start, old.current_period_end,
            old.cancel_at_period_end
        ) is distinct from (
            new.status, new.plan_id, new.user_id, new.current_period_start, new.current_period_end,
            new.cancel_at_period_end
        )
    )
    execute function record_overwrite();

insert into schema_migrations (version, name) values (6, 'adoption');
