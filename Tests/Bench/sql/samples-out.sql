-- Events as the service has stored them, for pgbench to store their like.
\copy (select convert_from(body, 'UTF8') as body, event_name, data_type, kind, status, variant_id, attributes_sha256, signature from webhook_events order by md5(id::text) limit 64) to pstdout (format csv)
