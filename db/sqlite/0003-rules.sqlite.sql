-- The twin of 0003-rules.sql.

-- Events ----------------------------------------------------------------------------------------------------------

alter table webhook_events add column billing_anchor integer;
-- Which reading of the bytes the columns hold; the clock reads older ones again.
alter table webhook_events add column decoder integer not null default 1;
-- R20: what is personal was removed then; the hash and the facts stay.
alter table webhook_events add column erased_at text;
-- The deleted account that it counted for.
alter table webhook_events add column deleted_user_id text;
create index idx_webhook_events_decoder on webhook_events (decoder, arrival) where decoder < 2;
create index idx_webhook_events_order on webhook_events (order_id) where order_id is not null;
create index idx_webhook_events_quarantined on webhook_events (test_mode, store_id) where outcome = 'quarantined';
create index idx_webhook_events_deleted_user on webhook_events (deleted_user_id) where deleted_user_id is not null;

drop trigger park_events_of_users;
create trigger park_events_of_users before delete on users
begin
    update webhook_events set deleted_user_id = old.id,
        reason = case when outcome in ('applied', 'unchanged') then 'unknown_account' else reason end,
        outcome = case when outcome in ('applied', 'unchanged') then 'parked' else outcome end
    where user_id = old.id;
end;

-- Accounts --------------------------------------------------------------------------------------------------------

-- Of `billing_settings`, with which the row was computed; less than the newest: it is due.
alter table users add column billing_revision integer not null default 0;
-- The moment from which on the row says what is so, until billing_due_at; later than now: a clock ran ahead.
alter table users add column billing_valid_from text;
create index idx_users_billing_revision on users (billing_revision, id);
create index idx_users_billing_valid_from on users (billing_valid_from);

-- The settings that decide, each change a row: all processes go by the newest.
create table billing_settings (
    revision integer primary key,
    mode text not null check (mode in ('live', 'test', 'any')),
    store_id text check (length(store_id) <= 100),
    match_by_email integer not null check (match_by_email in (0, 1)),
    upgrade_units text not null check (length(upgrade_units) <= 20),
    downgrade_units text not null check (length(downgrade_units) <= 20),
    refund_units text not null check (length(refund_units) <= 20),
    -- Counts up when a version of the program reads the same events otherwise.
    rules integer not null,
    changed_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- The host that wrote it.
    changed_by text not null check (length(changed_by) <= 255)
) strict;

-- When units were used, where a refund takes the rest (R18).
create index idx_compute_unit_ledger_line on compute_unit_ledger (line)
    where kind in ('consume', 'external') and line <> 'free';

-- Subscriptions ---------------------------------------------------------------------------------------------------

-- The view stands on what is altered here.
drop view account_entitlements;

-- Who speaks for the row; null: another program made it, and it gives nothing.
alter table user_subscriptions add column source text check (source in ('provider', 'granted'));
update user_subscriptions set source = 'provider' where source_updated_at is not null;

-- What operators did, and matches that were made by e-mail (R5): they are remembered like an operator's word.
create table operator_actions_of_all_kinds (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    kind text not null check (kind in ('bind', 'adjust', 'match', 'grant', 'grant_end')),
    user_id text not null references users (id) on delete cascade,
    subscription_id text check (length(subscription_id) <= 100),
    units integer,
    line text check (length(line) <= 100),
    begins_at text,
    reason text,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    plan_id text references subscription_plans (id),
    until text,
    -- Who did it, and from which host or page.
    acted_by text check (length(acted_by) <= 255),
    acted_from text check (length(acted_from) <= 255),
    check (kind <> 'bind' or subscription_id is not null),
    check (kind <> 'adjust' or (units is not null and line is not null and begins_at is not null)),
    check (kind <> 'match' or subscription_id is not null),
    check (kind <> 'grant' or plan_id is not null)
) strict;
insert into operator_actions_of_all_kinds (
    id, kind, user_id, subscription_id, units, line, begins_at, reason, created_at
)
select id, kind, user_id, subscription_id, units, line, begins_at, reason, created_at from operator_actions;
drop table operator_actions;
alter table operator_actions_of_all_kinds rename to operator_actions;
create index idx_operator_actions_subscription on operator_actions (subscription_id);
create index idx_operator_actions_user on operator_actions (user_id);

-- Matches that stand: of the e-mail alone, without any claim of the subscription or of its customer's others.
insert into operator_actions (kind, user_id, subscription_id, reason)
select distinct 'match', u.id, s.lemon_squeezy_subscription_id, lower(u.email)
from user_subscriptions s
join users u on u.id = s.user_id
join webhook_events e on e.subscription_id = s.lemon_squeezy_subscription_id and lower(e.email) = lower(u.email)
where s.source = 'provider'
    and not exists (
        select 1 from webhook_events o
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
            left join compute_unit_buckets b on b.user_id = s.user_id and b.line = coalesce(s.lemon_squeezy_subscription_id, 'grant:' || s.id)
                and b.begins_at <= a.at and a.at < b.ends_at and b.unlocked_at <= a.at
            where s.user_id = a.id and s.source_updated_at is not null
                and case
                    when s.source = 'granted' then coalesce(a.at < s.ends_at, true)
                    when s.status in ('on_trial', 'active', 'past_due') then true
                    when s.status = 'paused' then coalesce(s.pause_mode = 'free', false)
                        or coalesce(s.pause_resumes_at <= a.at, false)
                    when s.status = 'cancelled' then a.at < s.current_period_end
                    else false
                end
            order by b.line is not null desc,
                p.monthly_compute_units desc, p.price_cents desc, s.source_created_at desc,
                -- A granted plan has no id of the provider's (R19).
                length(coalesce(s.lemon_squeezy_subscription_id, 'grant:' || s.id)) desc,
                coalesce(s.lemon_squeezy_subscription_id, 'grant:' || s.id) desc
            limit 1
        ) as subscription
    from account a
), shown as (
    select c.id, c.email, c.compute_units_remaining, c.compute_units_reset_date, e.id is not null as has_access,
        e.plan_id, e.lemon_squeezy_subscription_id, e.status, e.source, e.current_period_end, e.ends_at, e.trial_ends_at,
        (
            select b.rowid
            from compute_unit_buckets b
            where b.user_id = c.id and b.line in ('free', coalesce(e.lemon_squeezy_subscription_id, 'grant:' || e.id))
                and b.unlocked_at <= c.at
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
    case
        when s.source = 'granted' then s.ends_at
        when s.status = 'cancelled' then s.current_period_end
        when s.status = 'on_trial' then s.trial_ends_at
    end as access_until,
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

insert into schema_migrations (version, name) values (3, 'rules');
