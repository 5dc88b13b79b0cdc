-- Functions for other programs.

insert into schema_migrations (version, name) values (5, 'functions');
