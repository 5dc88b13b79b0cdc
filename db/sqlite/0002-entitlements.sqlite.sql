-- The twin of 0002-entitlements.sql. The inbox's order of arrival is its primary key here, and needs no further index;
-- integers are wide enough.

drop view account_entitlements;

-- Lists that go on by key.
create index idx_api_keys_created_at on api_keys (created_at, id);

-- An account that was deleted and created again finds what its events had bought (R3): whatever has become of them.
drop index idx_webhook_events_claimed;
create index idx_webhook_events_claimed on webhook_events (claimed_user_id);
create trigger park_events_of_users before delete on users
begin
    update webhook_events set outcome = 'parked', reason = 'unknown_account'
    where user_id = old.id and outcome in ('applied', 'unchanged');
end;

-- json_valid(null) is 0 before SQLite 3.45: a log without metadata was refused.
create table task_logs_that_hold_null (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    task_id text not null references tasks (id) on delete cascade,
    level text not null check (level in ('debug', 'info', 'warning', 'error')),
    message text not null,
    metadata text check (metadata is null or json_valid(metadata)),
    timestamp text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
insert into task_logs_that_hold_null select id, task_id, level, message, metadata, timestamp from task_logs;
drop table task_logs;
alter table task_logs_that_hold_null rename to task_logs;
create index idx_task_logs_task_id on task_logs (task_id);
create index idx_task_logs_timestamp on task_logs (timestamp);

-- R9, R10 and R14 as SQL, for programs that read the database. What another program has written into
-- compute_units_remaining counts at once, not only when the ledger takes it over (R15).
create view account_entitlements as
with moment as (
    select strftime('%Y-%m-%dT%H:%M:%fZ', 'now') as at
), account as (
    select u.*,
        max(
            substr(m.at, 1, 20) || '000Z',
            coalesce(
                (
                    select max(s.latest_event_at) from user_subscriptions s
                    where s.user_id = u.id and s.source_updated_at is not null
                ),
                ''
            )
        ) as at
    from users u
    cross join moment m
), chosen as (
    select a.*,
        (
            select s.id
            from user_subscriptions s
            join subscription_plans p on p.id = s.plan_id
            -- Its present month, if that is unlocked.
            left join compute_unit_buckets b on b.user_id = s.user_id and b.line = s.lemon_squeezy_subscription_id
                and b.begins_at <= a.at and a.at < b.ends_at and b.unlocked_at <= a.at
            where s.user_id = a.id and s.source_updated_at is not null
                and case s.status
                    when 'on_trial' then true
                    when 'active' then true
                    when 'past_due' then true
                    when 'paused' then coalesce(s.pause_mode = 'free', false)
                        or coalesce(s.pause_resumes_at <= a.at, false)
                    when 'cancelled' then a.at < s.current_period_end
                    else false
                end
            order by b.line is not null desc,
                p.monthly_compute_units desc, p.price_cents desc, s.source_created_at desc,
                length(s.lemon_squeezy_subscription_id) desc, s.lemon_squeezy_subscription_id desc
            limit 1
        ) as subscription
    from account a
), shown as (
    select c.id, c.email, c.compute_units_remaining, c.compute_units_reset_date, e.id is not null as has_access,
        e.plan_id, e.lemon_squeezy_subscription_id, e.status, e.current_period_end, e.trial_ends_at,
        (
            select b.rowid
            from compute_unit_buckets b
            where b.user_id = c.id and b.line in ('free', e.lemon_squeezy_subscription_id) and b.unlocked_at <= c.at
            order by b.line = 'free', b.begins_at desc
            limit 1
        ) as bucket
    from chosen c
    left join user_subscriptions e on e.id = c.subscription
)
select s.id as user_id,
    s.email,
    coalesce(s.plan_id, 'free') as plan_id,
    s.has_access,
    s.lemon_squeezy_subscription_id,
    s.status,
    case s.status when 'cancelled' then s.current_period_end when 'on_trial' then s.trial_ends_at end as access_until,
    coalesce(
        min(max(b.remaining + coalesce(s.compute_units_remaining - l.balance, 0), 0), 2147483647),
        s.compute_units_remaining
    ) as compute_units_remaining,
    coalesce(b.ends_at, s.compute_units_reset_date) as compute_units_reset_date,
    coalesce(b.granted, f.monthly_compute_units) as compute_units_granted
from shown s
left join compute_unit_buckets b on b.rowid = s.bucket
left join compute_unit_ledger l on l.id = (select max(id) from compute_unit_ledger where user_id = s.id)
    and l.line = b.line and l.begins_at = b.begins_at
left join subscription_plans f on f.id = 'free';

insert into schema_migrations (version, name) values (2, 'entitlements');
