-- The twin of 0011-overdue.sql.

-- Null: the account has not been looked at since there is this column.
alter table user_subscriptions add column units_until text;
create index idx_user_subscriptions_units_until on user_subscriptions (units_until, lemon_squeezy_subscription_id)
    where source = 'provider' and status = 'active';

-- The clock looks at these, and fills it.
update users set billing_due_at = min(
    coalesce(billing_due_at, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
)
where exists (select 1 from user_subscriptions s where s.user_id = users.id and s.source is not null);

insert into schema_migrations (version, name) values (11, 'overdue');
