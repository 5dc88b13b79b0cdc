-- The twin of 0005-functions.sql, as far as SQLite has functions: a plain update makes the account due.

-- `compute_units_remaining` as the service wrote it last, in the same statement. Where the two differ, another program
-- has written since. Null: the service has not written the row since this column is there.
alter table users add column billing_balance integer;

create trigger make_users_due after update of compute_units_remaining on users
when new.compute_units_remaining is not new.billing_balance
begin
    update users set billing_due_at = min(
        coalesce(billing_due_at, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    )
    where id = new.id;
end;

-- What was written before there was a trigger.
update users set billing_due_at = min(
    coalesce(billing_due_at, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
)
where compute_units_remaining <> (
    select balance from compute_unit_ledger l where l.user_id = users.id order by l.id desc limit 1
);

insert into schema_migrations (version, name) values (5, 'functions');
