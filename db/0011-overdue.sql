-- Renewals that are overdue (R17) are found by an index: each subscription's row tells until when it gives units.

-- Null: the account has not been looked at since there is this column.
alter table user_subscriptions add column units_until timestamptz;
create index idx_user_subscriptions_units_until on user_subscriptions (units_until, lemon_squeezy_subscription_id)
    where source = 'provider' and status = 'active';

-- The clock looks at these, and fills it.
update users set billing_due_at = least(billing_due_at, now())
where exists (select from user_subscriptions s where s.user_id = users.id and s.source is not null);

insert into schema_migrations (version, name) values (11, 'overdue');
