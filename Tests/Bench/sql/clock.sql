-- The month of all due accounts in one transaction: the rows that the clock wrote for one, as counted before. The
-- variables account, bucket, bucket_change and ledger are rows an account.
begin;
create temporary table due on commit drop as
    select u.id, b.ends_at, b.granted
    from users u
    join lateral (
        select ends_at, granted from compute_unit_buckets
        where user_id = u.id and line = 'free' order by begins_at desc limit 1
    ) as b on true
    where u.billing_due_at <= now();
update users u
set compute_units_remaining = d.granted, compute_units_reset_date = d.ends_at + interval '1 month',
    billing_due_at = d.ends_at + interval '1 month', billing_valid_from = d.ends_at
from due d where u.id = d.id and :account > 0;
update compute_unit_buckets b set granted = d.granted
from due d where b.user_id = d.id and b.line = 'free' and b.ends_at = d.ends_at and :bucket_change > 0;
insert into compute_unit_buckets (
    user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
)
select id, 'free', ends_at + (n - 1) * interval '1 month', ends_at + n * interval '1 month',
    ends_at + (n - 1) * interval '1 month', granted, 0, 0, 0
from due cross join generate_series(1, :bucket) as n;
insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at)
select id, 'grant', 0, granted, 'free', ends_at from due cross join generate_series(1, :ledger);
commit;
