-- The twin of 0005-functions.sql: SQLite has no functions of its own.

insert into schema_migrations (version, name) values (5, 'functions');
