-- What was written, table by table, since the database was created. The numbers are those of committed transactions.
select relname, n_tup_ins, n_tup_upd, n_tup_del
from pg_stat_user_tables
where n_tup_ins + n_tup_upd + n_tup_del > 0
order by relname;
