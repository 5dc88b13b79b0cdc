-- What an account is entitled to, looked up account by account, so that asking about one costs no more than that one.
-- And what other programs may do without losing anything: delete an account and create it again, hold as many units as
-- the column holds.

drop view account_entitlements;

-- Lists that go on by key, and a rebuild's way through the inbox.
create index idx_api_keys_created_at on api_keys (created_at, id);
create unique index webhook_events_arrival_key on webhook_events (arrival);

-- An account that was deleted and created again finds what its events had bought (R3): whatever has become of them.
drop index idx_webhook_events_claimed;
create index idx_webhook_events_claimed on webhook_events (claimed_user_id);
create function park_events() returns trigger language plpgsql as $$
begin
    update webhook_events set outcome = 'parked', reason = 'unknown_account'
    where user_id = old.id and outcome in ('applied', 'unchanged');
    return old;
end $$;
create trigger park_events_of_users before delete on users for each row execute function park_events();

-- Sums of numbers that fit into an integer each.
alter table compute_unit_charges alter column consumed type bigint, alter column adjusted type bigint;
alter table compute_unit_buckets
    drop column remaining,
    alter column granted type bigint,
    alter column consumed type bigint,
    alter column adjusted type bigint,
    alter column carried type bigint,
    add column remaining bigint generated always as (granted - consumed + adjusted + carried) stored;

-- R9, R10 and R14 as SQL, for programs that read the database. What another program has written into
-- compute_units_remaining counts at once, not only when the ledger takes it over (R15).
create view account_entitlements as
select u.id as user_id,
    u.email,
    coalesce(e.plan_id, 'free') as plan_id,
    e.plan_id is not null as has_access,
    e.lemon_squeezy_subscription_id,
    e.status,
    case e.status when 'cancelled' then e.current_period_end when 'on_trial' then e.trial_ends_at end as access_until,
    coalesce(b.shown, u.compute_units_remaining) as compute_units_remaining,
    coalesce(b.ends_at, u.compute_units_reset_date) as compute_units_reset_date,
    coalesce(b.granted, f.monthly_compute_units)::integer as compute_units_granted
from (select now() as at) as moment
cross join users u
cross join lateral (
    select greatest(date_trunc('second', moment.at), max(s.latest_event_at)) as at
    from user_subscriptions s
    where s.user_id = u.id and s.source_updated_at is not null
) as m
left join lateral (
    select s.*
    from user_subscriptions s
    join subscription_plans p on p.id = s.plan_id
    -- Its present month, if that is unlocked.
    left join compute_unit_buckets b on b.user_id = s.user_id and b.line = s.lemon_squeezy_subscription_id
        and b.begins_at <= m.at and m.at < b.ends_at and b.unlocked_at <= m.at
    where s.user_id = u.id and s.source_updated_at is not null
        and case s.status
            when 'on_trial' then true
            when 'active' then true
            when 'past_due' then true
            when 'paused' then coalesce(s.pause_mode = 'free', false) or coalesce(s.pause_resumes_at <= m.at, false)
            when 'cancelled' then m.at < s.current_period_end
            else false
        end
    order by b.line is not null desc, p.monthly_compute_units desc, p.price_cents desc, s.source_created_at desc,
        length(s.lemon_squeezy_subscription_id) desc, s.lemon_squeezy_subscription_id collate "C" desc
    limit 1
) as e on true
left join lateral (
    select b.ends_at, b.granted,
        least(greatest(b.remaining + coalesce(u.compute_units_remaining - l.balance, 0), 0), 2147483647)::integer
            as shown
    from compute_unit_buckets b
    left join lateral (
        select line, begins_at, balance from compute_unit_ledger where user_id = u.id order by id desc limit 1
    ) as l on l.line = b.line and l.begins_at = b.begins_at
    where b.user_id = u.id and b.line in ('free', e.lemon_squeezy_subscription_id) and b.unlocked_at <= m.at
    order by b.line = 'free', b.begins_at desc
    limit 1
) as b on true
left join subscription_plans f on f.id = 'free';

insert into schema_migrations (version, name) values (2, 'entitlements');
