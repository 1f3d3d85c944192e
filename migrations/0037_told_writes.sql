-- A row that is inserted into this view is an entry of the log and the event of the same write. One statement stores both: D1
-- sends the text of each statement, and answers each of them. Like an entry, the row names the token, or why the write may not
-- be: see 0006_log_guards.sql.
CREATE VIEW told_writes AS SELECT NULL AS tenant_id, NULL AS id, NULL AS time, NULL AS token_id, NULL AS client_id, NULL AS action,
  NULL AS outcome, NULL AS resource_type, NULL AS resource_id, NULL AS resource_name, NULL AS status, NULL AS scim_type,
  NULL AS detail, NULL AS changes, NULL AS ignored, NULL AS request_id, NULL AS event_type, NULL AS event_resource_id,
  NULL AS event_data, NULL AS previous;
--> statement-breakpoint
CREATE TRIGGER told_writes_stored INSTEAD OF INSERT ON told_writes
BEGIN
  INSERT INTO provisioning_log (tenant_id, id, time, token_id, client_id, action, outcome, resource_type, resource_id,
    resource_name, status, scim_type, detail, changes, ignored, request_id)
  VALUES (NEW.tenant_id, NEW.id, NEW.time, NEW.token_id, NEW.client_id, NEW.action, NEW.outcome, NEW.resource_type, NEW.resource_id,
    NEW.resource_name, NEW.status, NEW.scim_type, NEW.detail, NEW.changes, NEW.ignored, NEW.request_id);
  INSERT INTO events (tenant_id, seq, type, time, client_id, request_id, resource_id, data, previous, total_bytes)
  SELECT NEW.tenant_id, coalesce(newest.seq, 0) + 1, NEW.event_type, NEW.time, NEW.client_id, NEW.request_id,
    NEW.event_resource_id, NEW.event_data, NEW.previous,
    coalesce(newest.total_bytes, 0) + octet_length(NEW.event_data) + coalesce(octet_length(NEW.previous), 0)
  FROM (SELECT 1) LEFT JOIN (
    SELECT seq, total_bytes FROM events WHERE tenant_id = NEW.tenant_id ORDER BY seq DESC LIMIT 1) AS newest ON true;
END;
