-- Account number :account as it was a month ago, to be multiplied: its month has ended by now.
set session_replication_role = replica;
select ('00000000-0000-4000-8000-' || lpad(to_hex(:account), 12, '0'))::uuid as id \gset
update users set created_at = created_at - interval '1 month', billing_due_at = billing_due_at - interval '1 month',
    billing_valid_from = billing_valid_from - interval '1 month',
    compute_units_reset_date = compute_units_reset_date - interval '1 month'
where id = :'id';
update compute_unit_buckets set begins_at = begins_at - interval '1 month', ends_at = ends_at - interval '1 month',
    unlocked_at = unlocked_at - interval '1 month'
where user_id = :'id';
update compute_unit_ledger set begins_at = begins_at - interval '1 month', created_at = created_at - interval '1 month'
where user_id = :'id';
create table bench_model as select :'id'::uuid as user_id;
