-- The twin of 0013-deletion.sql.

drop trigger park_events_of_users;
create trigger park_events_of_users before delete on users
begin
    update webhook_events set deleted_user_id = old.id,
        reason = case when outcome in ('applied', 'unchanged') then 'unknown_account' else reason end,
        outcome = case when outcome in ('applied', 'unchanged') then 'parked' else outcome end
    where user_id = old.id;
    -- R15: what was used of a subscription that has moved to another account stays used.
    insert into compute_unit_charges (line, user_id, begins_at, consumed, adjusted, first_at)
    select c.line, s.user_id, c.begins_at, c.consumed, c.adjusted, c.first_at
    from compute_unit_charges c join user_subscriptions s on s.lemon_squeezy_subscription_id = c.line
    where c.user_id = old.id and s.user_id <> old.id
    on conflict (line, user_id, begins_at) do update set
        consumed = consumed + excluded.consumed, adjusted = adjusted + excluded.adjusted,
        first_at = min(first_at, excluded.first_at);
    -- R5: to whom the same customer's other subscriptions belong may depend on it.
    update users set billing_due_at = min(
        coalesce(billing_due_at, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    )
    where id <> old.id and id in (
        select o.user_id from webhook_events o
        where o.customer_id in (select customer_id from webhook_events where deleted_user_id = old.id)
    );
end;

-- R10: which of two subscriptions counts depends on what their plans give and cost.
create trigger make_subscribers_due after update of monthly_compute_units, price_cents on subscription_plans
when (old.monthly_compute_units, old.price_cents) is not (new.monthly_compute_units, new.price_cents)
begin
    update users set billing_due_at = min(
        coalesce(billing_due_at, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    )
    where id in (select user_id from user_subscriptions where plan_id = new.id);
end;

insert into schema_migrations (version, name) values (13, 'deletion');
