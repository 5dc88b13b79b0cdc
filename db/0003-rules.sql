-- What the rules read that they did not: billing days that move, orders, granted plans, e-mails that were matched; and
-- what an account was computed with, so that whatever changes the answer makes it due (R17).

-- Events ----------------------------------------------------------------------------------------------------------

alter table webhook_events
    add column billing_anchor smallint,
    -- Which reading of the bytes the columns hold; the clock reads older ones again.
    add column decoder smallint not null default 1,
    -- R20: what is personal was removed then; the hash and the facts stay.
    add column erased_at timestamptz,
    -- The deleted account that it counted for.
    add column deleted_user_id uuid;
create index idx_webhook_events_decoder on webhook_events (decoder, arrival) where decoder < 2;
create index idx_webhook_events_order on webhook_events (order_id) where order_id is not null;
create index idx_webhook_events_quarantined on webhook_events (test_mode, store_id) where outcome = 'quarantined';
create index idx_webhook_events_deleted_user on webhook_events (deleted_user_id) where deleted_user_id is not null;

create or replace function park_events() returns trigger language plpgsql as $$
begin
    update webhook_events set deleted_user_id = old.id,
        reason = case when outcome in ('applied', 'unchanged') then 'unknown_account' else reason end,
        outcome = case when outcome in ('applied', 'unchanged') then 'parked' else outcome end
    where user_id = old.id;
    return old;
end $$;

-- Accounts --------------------------------------------------------------------------------------------------------

alter table users
    -- Of `billing_settings`, with which the row was computed; less than the newest: it is due.
    add column billing_revision integer not null default 0,
    -- The moment from which on the row says what is so, until billing_due_at; later than now: a clock ran ahead.
    add column billing_valid_from timestamptz;
create index idx_users_billing_revision on users (billing_revision, id);
create index idx_users_billing_valid_from on users (billing_valid_from);

-- The settings that decide, each change a row: all instances and commands go by the newest.
create table billing_settings (
    revision integer primary key,
    mode varchar(4) not null check (mode in ('live', 'test', 'any')),
    store_id varchar(100),
    match_by_email boolean not null,
    upgrade_units varchar(20) not null,
    downgrade_units varchar(20) not null,
    refund_units varchar(20) not null,
    -- Counts up when a version of the program reads the same events otherwise.
    rules integer not null,
    changed_at timestamptz not null default now(),
    -- The host that wrote it.
    changed_by varchar(255) not null
);

-- When units were used, where a refund takes the rest (R18).
create index idx_compute_unit_ledger_line on compute_unit_ledger (line)
    where kind in ('consume', 'external') and line <> 'free';

-- Subscriptions ---------------------------------------------------------------------------------------------------

-- Who speaks for the row; null: another program made it, and it gives nothing.
alter table user_subscriptions
    add column source varchar(10) check (source in ('provider', 'granted'));
update user_subscriptions set source = 'provider' where source_updated_at is not null;

-- What operators did, and matches that were made by e-mail (R5): they are remembered like an operator's word.
alter table operator_actions
    drop constraint operator_actions_kind_check,
    add constraint operator_actions_kind_check
        check (kind in ('bind', 'adjust', 'match', 'grant', 'grant_end')),
    add column plan_id varchar(50) references subscription_plans (id),
    add column until timestamptz,
    -- Who did it, and from which host or page.
    add column acted_by varchar(255),
    add column acted_from varchar(255),
    add constraint operator_actions_match_check check (kind <> 'match' or subscription_id is not null),
    add constraint operator_actions_grant_check check (kind <> 'grant' or plan_id is not null);

-- Matches that stand: of the e-mail alone, without any claim of the subscription or of its customer's others.
insert into operator_actions (kind, user_id, subscription_id, reason)
select distinct 'match', u.id, s.lemon_squeezy_subscription_id, lower(u.email)
from user_subscriptions s
join users u on u.id = s.user_id
join webhook_events e on e.subscription_id = s.lemon_squeezy_subscription_id and lower(e.email) = lower(u.email)
where s.source = 'provider'
    and not exists (
        select from webhook_events o
        left join users claimed on claimed.id = o.claimed_user_id
        left join operator_actions b on b.kind = 'bind' and b.subscription_id = o.subscription_id
        where (claimed.id is not null or b.id is not null)
            and (
                o.subscription_id = s.lemon_squeezy_subscription_id
                or o.subscription_id in (
                    select subscription_id from webhook_events where customer_id = s.lemon_squeezy_customer_id
                )
            )
    );

drop view account_entitlements;
-- R9, R10 and R14 as SQL, for programs that read the database: of one account at a moment, and of all now. What another
-- program has written into compute_units_remaining counts at once, not only when the ledger takes it over (R15).
create function account_entitlement(account uuid, looked_at timestamptz) returns table (
    user_id uuid, email varchar, plan_id varchar, has_access boolean, lemon_squeezy_subscription_id varchar,
    status varchar, access_until timestamptz, compute_units_remaining integer, compute_units_reset_date timestamptz,
    compute_units_granted integer
) language sql stable as $$
select u.id,
    u.email,
    coalesce(e.plan_id, 'free'),
    e.plan_id is not null,
    e.lemon_squeezy_subscription_id,
    e.status,
    case
        when e.source = 'granted' then e.ends_at
        when e.status = 'cancelled' then e.current_period_end
        when e.status = 'on_trial' then e.trial_ends_at
    end,
    coalesce(b.shown, u.compute_units_remaining),
    coalesce(b.ends_at, u.compute_units_reset_date),
    coalesce(b.granted, f.monthly_compute_units)::integer
from users u
cross join lateral (
    select greatest(date_trunc('second', looked_at), max(s.latest_event_at)) as at
    from user_subscriptions s
    where s.user_id = u.id and s.source_updated_at is not null
) as m
left join lateral (
    select s.*, l.line
    from user_subscriptions s
    -- Of its buckets: a granted plan has no id of the provider's (R19).
    cross join lateral (select coalesce(s.lemon_squeezy_subscription_id, 'grant:' || s.id) as line) as l
    join subscription_plans p on p.id = s.plan_id
    -- Its present month, if that is unlocked.
    left join compute_unit_buckets b on b.user_id = s.user_id and b.line = l.line
        and b.begins_at <= m.at and m.at < b.ends_at and b.unlocked_at <= m.at
    where s.user_id = u.id and s.source_updated_at is not null
        and case
            when s.source = 'granted' then coalesce(m.at < s.ends_at, true)
            when s.status in ('on_trial', 'active', 'past_due') then true
            when s.status = 'paused'
                then coalesce(s.pause_mode = 'free', false) or coalesce(s.pause_resumes_at <= m.at, false)
            when s.status = 'cancelled' then m.at < s.current_period_end
            else false
        end
    order by b.line is not null desc, p.monthly_compute_units desc, p.price_cents desc, s.source_created_at desc,
        length(l.line) desc, l.line collate "C" desc
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
    where b.user_id = u.id and b.line in ('free', e.line) and b.unlocked_at <= m.at
    order by b.line = 'free', b.begins_at desc
    limit 1
) as b on true
left join subscription_plans f on f.id = 'free'
where u.id = account
$$;
create view account_entitlements as
select e.* from users u cross join lateral account_entitlement(u.id, now()) as e;

insert into schema_migrations (version, name) values (3, 'rules');
