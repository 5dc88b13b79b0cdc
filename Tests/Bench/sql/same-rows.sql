-- pgbench: a transaction an event, and in it the rows that the service wrote for one, on the service's tables.
-- The variables subscription, bucket, bucket_change, ledger and account are rows a thousand events, as counted before.
-- Each client has accounts of its own: none waits for another's row.
\set sample random(1, :samples)
\set n :client_id + 1 + :clients * random(0, :accounts / :clients)
\set key random(1, 9000000000000000000)
\set hours random(1, 100000000)
\set hours2 random(1, 100000000)
\set with_subscription :subscription >= random(1, 1000)
\set with_bucket :bucket >= random(1, 1000)
\set with_bucket2 :bucket - 1000 >= random(1, 1000)
\set with_bucket_change :bucket_change >= random(1, 1000)
\set with_ledger :ledger >= random(1, 1000)
\set with_ledger2 :ledger - 1000 >= random(1, 1000)
\set with_account :account >= random(1, 1000)
begin;
insert into webhook_events (
    body, body_sha256, signature, matched_secret, event_name, webhook_id, test_mode, store_id, data_type, data_id, kind,
    subscription_id, customer_id, claimed_user_id, email, status, variant_id, order_id, renews_at, source_created_at,
    source_updated_at, snapshot_second, attributes_sha256, outcome, user_id
)
select convert_to(left(s.body, -20) || cast(cast(:key as bigint) as text), 'UTF8'),
    sha256(int8send(cast(:key as bigint))), s.signature, 'current', s.event_name, gen_random_uuid()::text, true,
    '4242', s.data_type, cast(cast(:n as bigint) as text), s.kind, cast(cast(:n as bigint) as text),
    'c' || cast(cast(:n as bigint) as text), bench_user(cast(:n as bigint)), 'account@example.com', s.status,
    s.variant_id, 'o' || cast(cast(:n as bigint) as text), now(), now(), now(), 1800000000, s.attributes_sha256,
    'applied', bench_user(cast(:n as bigint))
from bench_samples s where s.n = :sample
returning id as event \gset
\if :with_subscription
insert into user_subscriptions (
    user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start, current_period_end,
    lemon_squeezy_customer_id, lemon_squeezy_order_id, lemon_squeezy_product_id, lemon_squeezy_variant_id,
    source_created_at, source_updated_at, renews_at, latest_event_at, source
)
values (
    bench_user(cast(:n as bigint)), 'starter', cast(cast(:n as bigint) as text), 'active', now(),
    now() + interval '1 month', 'c' || cast(cast(:n as bigint) as text), 'o' || cast(cast(:n as bigint) as text), '71',
    '101', now(), now(), now() + interval '1 month', now(), 'provider'
)
on conflict (lemon_squeezy_subscription_id) do update set
    status = excluded.status, current_period_start = excluded.current_period_start,
    current_period_end = excluded.current_period_end, source_updated_at = excluded.source_updated_at,
    renews_at = excluded.renews_at, latest_event_at = excluded.latest_event_at;
\endif
\if :with_bucket
insert into compute_unit_buckets (
    user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
)
select bench_user(cast(:n as bigint)), cast(cast(:n as bigint) as text), at, at + interval '1 month', at, 1000, 0, 0, 0
from (select timestamptz '1000-01-01' + cast(:hours as bigint) * interval '1 minute' as at) as moment
on conflict (user_id, line, begins_at) do nothing;
\endif
\if :with_bucket2
insert into compute_unit_buckets (
    user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
)
select bench_user(cast(:n as bigint)), cast(cast(:n as bigint) as text), at, at + interval '1 month', at, 1000, 0, 0, 0
from (select timestamptz '1000-01-01' + cast(:hours2 as bigint) * interval '1 minute' as at) as moment
on conflict (user_id, line, begins_at) do nothing;
\endif
\if :with_bucket_change
update compute_unit_buckets set granted = 1000 where user_id = bench_user(cast(:n as bigint)) and line = 'free';
\endif
\if :with_ledger
insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, event_id)
values (
    bench_user(cast(:n as bigint)), 'grant', 1000, 1000, cast(cast(:n as bigint) as text), now(), cast(:event as uuid)
);
\endif
\if :with_ledger2
insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, event_id)
values (
    bench_user(cast(:n as bigint)), 'switch', 0, 1000, cast(cast(:n as bigint) as text), now(), cast(:event as uuid)
);
\endif
\if :with_account
update users set subscription_tier = 'starter', compute_units_remaining = 1000,
    compute_units_reset_date = now() + interval '1 month', billing_due_at = now() + interval '1 month',
    billing_valid_from = now()
where id = bench_user(cast(:n as bigint));
\endif
commit;
