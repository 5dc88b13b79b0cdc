-- What a customer's own events say is personal, too (R20), and is found without reading all others.
create index idx_webhook_events_customer_object on webhook_events (data_id) where data_type = 'customers';

insert into schema_migrations (version, name) values (14, 'erasing');
