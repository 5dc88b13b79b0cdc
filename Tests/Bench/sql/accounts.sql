-- Accounts that nothing has happened to yet: :accounts of them, numbered from 1.
insert into users (id, email)
select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'account-' || n || '@example.com'
from generate_series(1, :accounts) as n;
