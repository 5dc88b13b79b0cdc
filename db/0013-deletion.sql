-- What an account leaves behind when it is deleted, and what a change of a plan means to those who have it.

create or replace function park_events() returns trigger language plpgsql as $$
begin
    update webhook_events set deleted_user_id = old.id,
        reason = case when outcome in ('applied', 'unchanged') then 'unknown_account' else reason end,
        outcome = case when outcome in ('applied', 'unchanged') then 'parked' else outcome end
    where user_id = old.id;
    -- R15: what was used of a subscription that has moved to another account stays used.
    insert into compute_unit_charges as t (line, user_id, begins_at, consumed, adjusted, first_at)
    select c.line, s.user_id, c.begins_at, c.consumed, c.adjusted, c.first_at
    from compute_unit_charges c join user_subscriptions s on s.lemon_squeezy_subscription_id = c.line
    where c.user_id = old.id and s.user_id <> old.id
    on conflict (line, user_id, begins_at) do update set
        consumed = t.consumed + excluded.consumed, adjusted = t.adjusted + excluded.adjusted,
        first_at = least(t.first_at, excluded.first_at);
    -- R5: to whom the same customer's other subscriptions belong may depend on it. Who is held is looked at already.
    update users set billing_due_at = least(billing_due_at, now())
    where id in (
        select u.id from users u
        where u.id <> old.id and u.id in (
            select o.user_id from webhook_events o
            where o.customer_id in (select customer_id from webhook_events where deleted_user_id = old.id)
        )
        for no key update skip locked
    );
    return old;
end $$;

-- R10: which of two subscriptions counts depends on what their plans give and cost.
create function make_subscribers_due() returns trigger language plpgsql as $$
begin
    -- In the order in which accounts are locked everywhere.
    perform from users
    where id in (select user_id from user_subscriptions where plan_id = new.id) order by id for no key update;
    update users set billing_due_at = least(billing_due_at, now())
    where id in (select user_id from user_subscriptions where plan_id = new.id);
    return null;
end $$;
create trigger make_subscribers_due after update of monthly_compute_units, price_cents on subscription_plans
    for each row when (
        (old.monthly_compute_units, old.price_cents) is distinct from (new.monthly_compute_units, new.price_cents)
    )
    execute function make_subscribers_due();

insert into schema_migrations (version, name) values (13, 'deletion');
