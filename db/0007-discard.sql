-- Operators may discard events that wait (R3): an act about an event, which names no account.

alter table operator_actions
    alter column user_id drop not null,
    add column event_id uuid,
    drop constraint operator_actions_kind_check,
    add constraint operator_actions_kind_check
        check (kind in ('bind', 'adjust', 'match', 'grant', 'grant_end', 'discard')),
    add constraint operator_actions_user_check check (kind = 'discard' or user_id is not null),
    add constraint operator_actions_discard_check check (kind <> 'discard' or event_id is not null);

insert into schema_migrations (version, name) values (7, 'discard');
