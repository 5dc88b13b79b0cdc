-- The twin of 0012-redeliveries.sql.

-- One line a delivery after the first: when it came, and the secret its signature matched or, if it came by no webhook,
-- how. Kept of about twenty; null: it came once, or all others before there was this column.
alter table webhook_events add column redeliveries text;

insert into schema_migrations (version, name) values (12, 'redeliveries');
