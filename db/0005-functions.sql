-- What other programs take and give of compute units: by functions that leave what the service's own charges leave, or
-- by a plain update, which makes the account due.

-- Units that another program writes --------------------------------------------------------------------------------

alter table users
    -- `compute_units_remaining` as the service wrote it last, in the same statement. Where the two differ, another
    -- program has written since. Null: the service has not written the row since this column is there.
    add column billing_balance integer;

create or replace function make_account_due() returns trigger language plpgsql as $$
begin
    new.billing_due_at = least(new.billing_due_at, now());
    return new;
end $$;
create trigger make_users_due before update of compute_units_remaining on users
    for each row when (new.compute_units_remaining is distinct from new.billing_balance)
    execute function make_account_due();

-- What was written before there was a trigger.
update users set billing_due_at = least(billing_due_at, now())
from (
    select distinct on (user_id) user_id, balance from compute_unit_ledger order by user_id, id desc
) as l
where l.user_id = users.id and l.balance <> users.compute_units_remaining;

-- Tasks by what they are to do -------------------------------------------------------------------------------------

create index tasks_config_gin on tasks using gin (config jsonb_path_ops);

-- Compute units for other programs ---------------------------------------------------------------------------------

-- The free plan's month at a moment (R11): months run from the account's begin, on its day or a short month's last.
create or replace function free_month(
    account_created timestamptz, looked_at timestamptz, out begins_at timestamptz, out ends_at timestamptz
) language sql stable as $$
select (start + make_interval(months => number)) at time zone 'utc',
    (start + make_interval(months => number + 1)) at time zone 'utc'
from (
    select date_trunc('second', account_created) at time zone 'utc' as start,
        greatest(looked_at, account_created) at time zone 'utc' as until
) as span
cross join lateral generate_series(
    greatest(
        ((extract(year from until) - extract(year from start)) * 12
            + extract(month from until) - extract(month from start))::integer - 1,
        0
    ),
    ((extract(year from until) - extract(year from start)) * 12
        + extract(month from until) - extract(month from start))::integer
) as number
where start + make_interval(months => number) <= until
order by number desc
limit 1
$$;

-- The units of a free month (R13): editing a plan changes later months only.
create or replace function free_units(month timestamptz) returns integer language sql stable as $$
select coalesce(
    (
        select monthly_compute_units from plan_terms
        where plan_id = 'free' and valid_from <= month order by valid_from desc limit 1
    ),
    (select monthly_compute_units from plan_terms where plan_id = 'free' order by valid_from limit 1),
    (select monthly_compute_units from subscription_plans where id = 'free'),
    0
)
$$;

-- Adds to what was charged to a month (R15), and to its bucket; what a bucket is below zero is owed by the next one of
-- its line (R13). The account's row is locked.
create or replace function charge_compute_units(
    account uuid, charged_line varchar, month timestamptz, taken bigint, given bigint, looked_at timestamptz
) returns void language plpgsql as $$
#variable_conflict use_column
declare
    bucket record;
    owed bigint;
begin
    insert into compute_unit_charges as c (line, user_id, begins_at, consumed, adjusted, first_at)
    values (charged_line, account, month, taken, given, date_trunc('second', looked_at))
    on conflict (line, user_id, begins_at) do update set
        consumed = c.consumed + excluded.consumed,
        adjusted = c.adjusted + excluded.adjusted,
        first_at = least(c.first_at, excluded.first_at);
    update compute_unit_buckets set consumed = consumed + taken, adjusted = adjusted + given
    where user_id = account and line = charged_line and begins_at <= month and month < ends_at;
    for bucket in
        select begins_at, carried, remaining from compute_unit_buckets
        where user_id = account and line = charged_line and ends_at > month order by begins_at
    loop
        if owed <> bucket.carried then
            update compute_unit_buckets set carried = owed
            where user_id = account and line = charged_line and begins_at = bucket.begins_at;
            bucket.remaining = bucket.remaining - bucket.carried + owed;
        end if;
        owed = least(bucket.remaining, 0);
    end loop;
    -- It stands for months that were over, and one of them was not.
    delete from subscription_checkpoints where subscription_id = charged_line and closed_before > month;
end $$;

-- Locks an account, brings its ledger up to `users.compute_units_remaining` (R15) and to the month that is current
-- (R14), and tells that month and the balance. If the clock has not looked at the account since something changed, the
-- month is the one that `account_entitlement` shows; the account is due then, and the clock computes the rest.
create or replace function settle_compute_units(
    account uuid, out line varchar, out begins_at timestamptz, out ends_at timestamptz, out balance integer,
    out looked_at timestamptz
) language plpgsql as $$
#variable_conflict use_column
declare
    owner record;
    last record;
    month record;
    shown record;
    is_settled boolean;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'compute units are charged at the isolation level read committed, not %',
            current_setting('transaction_isolation')
            using errcode = 'feature_not_supported',
                hint = 'What was committed before the account is locked has to be seen afterwards.';
    end if;
    select * into owner from users where id = account for no key update;
    if not found then
        raise exception 'there is no account %', account using errcode = 'foreign_key_violation';
    end if;
    looked_at = clock_timestamp();
    select l.line, l.begins_at, l.balance into last
    from compute_unit_ledger l where l.user_id = account order by l.id desc limit 1;
    is_settled = found and last.balance = owner.compute_units_remaining
        and coalesce(owner.billing_due_at > looked_at and owner.billing_valid_from <= looked_at, false)
        and owner.billing_revision >= coalesce((select max(revision) from billing_settings), 0);

    if last.line is null then
        -- The opening balance: the free month that the row's reset date ends.
        month = free_month(
            owner.created_at, least(owner.compute_units_reset_date - interval '1 second', looked_at));
        insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, created_at)
        values (
            account, 'grant', free_units(month.begins_at), free_units(month.begins_at), 'free', month.begins_at,
            looked_at
        )
        returning line, begins_at, balance into last;
    end if;
    if last.balance <> owner.compute_units_remaining then
        perform charge_compute_units(
            account, last.line, last.begins_at, 0, owner.compute_units_remaining - last.balance, looked_at);
        insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, created_at)
        values (
            account, 'external', owner.compute_units_remaining - last.balance, owner.compute_units_remaining,
            last.line, last.begins_at, looked_at
        )
        returning line, begins_at, balance into last;
    end if;

    if is_settled then
        select b.* into shown from compute_unit_buckets b
        where b.user_id = account and b.line = last.line and b.begins_at = last.begins_at;
    else
        select b.* into shown
        from account_entitlement(account, looked_at) e
        join compute_unit_buckets b on b.user_id = account and b.unlocked_at <= looked_at
            and b.ends_at = e.compute_units_reset_date and b.granted = e.compute_units_granted
        left join user_subscriptions s on s.user_id = account and s.source = 'granted' and b.line = 'grant:' || s.id
        where b.line in ('free', e.lemon_squeezy_subscription_id)
            or e.has_access and e.lemon_squeezy_subscription_id is null and s.plan_id = e.plan_id
        order by b.line = 'free', s.source_created_at desc nulls last, b.line desc
        limit 1;
        if shown.line is null or shown.line = 'free' and shown.ends_at <= looked_at then
            -- The clock has not made this month yet.
            month = free_month(owner.created_at, looked_at);
            insert into compute_unit_buckets as b (
                user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
            )
            select account, 'free', month.begins_at, month.ends_at, month.begins_at, free_units(month.begins_at),
                coalesce(sum(c.consumed), 0), coalesce(sum(c.adjusted), 0),
                least(
                    coalesce(
                        (
                            select p.remaining from compute_unit_buckets p
                            where p.user_id = account and p.line = 'free' and p.ends_at = month.begins_at
                        ),
                        0
                    ),
                    0
                )
            from compute_unit_charges c
            where c.user_id = account and c.line = 'free'
                and c.begins_at >= month.begins_at and c.begins_at < month.ends_at
            on conflict (user_id, line, begins_at) do update set granted = b.granted
            returning * into shown;
        end if;
    end if;
    if shown.line is null then
        raise exception 'the month of account % is missing', account
            using hint = 'Run `selextract-billing rebuild --check`.';
    end if;

    line = shown.line;
    begins_at = shown.begins_at;
    ends_at = shown.ends_at;
    balance = least(greatest(shown.remaining, 0), 2147483647);
    if (last.line, last.begins_at, last.balance) is distinct from (line, begins_at, balance) then
        insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, created_at)
        values (
            account,
            case
                when last.line <> line then 'switch'
                when last.begins_at <> begins_at then 'grant'
                else 'correction'
            end,
            balance - last.balance, balance, line, begins_at, looked_at
        );
    end if;
end $$;

-- Writes the balance that a month has now into the account's row, and tells it.
create or replace function show_compute_units(
    account uuid, charged_line varchar, month timestamptz, looked_at timestamptz
) returns integer language sql as $$
update users set compute_units_remaining = b.balance, billing_balance = b.balance,
    compute_units_reset_date = b.ends_at, billing_valid_from = date_trunc('second', looked_at)
from (
    select ends_at, least(greatest(remaining, 0), 2147483647)::integer as balance from compute_unit_buckets
    where user_id = account and line = charged_line and begins_at = month
) as b
where users.id = account
returning b.balance
$$;

-- Charges a task to the month that is current (R15), and counts it in the day's usage: for other programs, in the
-- transaction in which they need it. The second time for the same task it changes nothing.
--
-- Returns what is left. Raises, and changes nothing: check_violation (23514) if fewer units are left,
-- foreign_key_violation (23503) if there is no such account, invalid_parameter_value (22023), unique_violation (23505)
-- if the task was charged to another account. It holds the account's row until the transaction ends: who charges
-- several accounts in one takes them in the order of their ids.
create or replace function consume_compute_units(user_id uuid, units integer, task_id uuid) returns integer
language plpgsql as $$
#variable_conflict use_column
declare
    account constant uuid = consume_compute_units.user_id;
    taken constant integer = consume_compute_units.units;
    task constant uuid = consume_compute_units.task_id;
    charged record;
    month record;
    left_over integer;
begin
    if account is null or task is null or coalesce(taken, -1) < 0 then
        raise exception 'an account, a task and a number of units, 0 or more, are needed'
            using errcode = 'invalid_parameter_value';
    end if;
    select u.compute_units_remaining into left_over from users u where u.id = account for no key update;
    select l.user_id into charged from compute_unit_ledger l where l.task_id = task;
    if found then
        if charged.user_id <> account then
            raise exception 'task % was charged to another account', task using errcode = 'unique_violation';
        end if;
        return left_over;
    end if;
    month = settle_compute_units(account);
    if taken > month.balance then
        raise exception '% compute units are more than the % that remain', taken, month.balance
            using errcode = 'check_violation', table = 'users', column = 'compute_units_remaining';
    end if;
    perform charge_compute_units(account, month.line, month.begins_at, taken, 0, month.looked_at);
    insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, task_id, created_at)
    values (
        account, 'consume', -taken, month.balance - taken, month.line, month.begins_at, task, month.looked_at
    );
    insert into usage_analytics as a (user_id, date, tasks_executed, compute_units_used)
    values (account, (month.looked_at at time zone 'utc')::date, 1, taken)
    on conflict (user_id, date) do update set
        tasks_executed = a.tasks_executed + excluded.tasks_executed,
        compute_units_used = a.compute_units_used + excluded.compute_units_used;
    left_over = show_compute_units(account, month.line, month.begins_at, month.looked_at);
    -- More units than the column holds were left.
    if left_over <> month.balance - taken then
        insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, created_at)
        values (
            account, 'correction', left_over - month.balance + taken, left_over, month.line, month.begins_at,
            month.looked_at
        );
    end if;
    return left_over;
end $$;

-- Gives units in the month that is current, as `users adjust` does: for other programs.
--
-- Returns what is left. Raises, and changes nothing: foreign_key_violation (23503) if there is no such account,
-- invalid_parameter_value (22023).
create or replace function add_compute_units(user_id uuid, units integer, reason text) returns integer
language plpgsql as $$
#variable_conflict use_column
declare
    account constant uuid = add_compute_units.user_id;
    given constant integer = add_compute_units.units;
    month record;
    left_over integer;
begin
    if account is null or coalesce(given, 0) < 1 then
        raise exception 'an account and a number of units, 1 or more, are needed'
            using errcode = 'invalid_parameter_value';
    end if;
    month = settle_compute_units(account);
    perform charge_compute_units(account, month.line, month.begins_at, 0, given, month.looked_at);
    left_over = show_compute_units(account, month.line, month.begins_at, month.looked_at);
    insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, reason, created_at)
    values (
        account, 'adjust', left_over - month.balance, left_over, month.line, month.begins_at, add_compute_units.reason,
        month.looked_at
    );
    insert into operator_actions (kind, user_id, units, line, begins_at, reason, acted_by, acted_from, created_at)
    values (
        'adjust', account, given, month.line, month.begins_at, add_compute_units.reason, session_user,
        nullif(current_setting('application_name'), ''), month.looked_at
    );
    return left_over;
end $$;

insert into schema_migrations (version, name) values (5, 'functions');
