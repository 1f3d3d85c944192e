-- The log keeps the requests of refused writes, and its bytes count them. The generated column is virtual, so no row is
-- rewritten. Triggers that name it are created again.
DROP TRIGGER provisioning_log_counted;
--> statement-breakpoint
DROP TRIGGER tenants_log_full;
--> statement-breakpoint
ALTER TABLE `provisioning_log` DROP COLUMN `bytes`;
--> statement-breakpoint
ALTER TABLE `provisioning_log` ADD `request` text;
--> statement-breakpoint
ALTER TABLE `provisioning_log` ADD `bytes` integer GENERATED ALWAYS AS (512
  + length(CAST(coalesce(resource_id, '') AS BLOB)) + length(CAST(coalesce(resource_name, '') AS BLOB))
  + length(CAST(coalesce(detail, '') AS BLOB)) + length(CAST(coalesce(changes, '') AS BLOB))
  + length(CAST(coalesce(ignored, '') AS BLOB)) + length(CAST(coalesce(request_id, '') AS BLOB))
  + length(CAST(coalesce(request, '') AS BLOB))) VIRTUAL;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_counted AFTER INSERT ON provisioning_log
BEGIN
  INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused, log_bytes)
  VALUES (
    NEW.tenant_id,
    NEW.time - NEW.time % 3600000,
    NEW.outcome = 'accepted' AND NEW.action = 'create',
    NEW.outcome = 'accepted' AND NEW.action NOT IN ('create', 'disable', 'delete', 'warn'),
    NEW.outcome = 'accepted' AND NEW.action = 'disable',
    NEW.outcome = 'accepted' AND NEW.action = 'delete',
    NEW.outcome = 'refused' AND NEW.action NOT IN ('authenticate', 'read'),
    NEW.bytes
  )
  ON CONFLICT (tenant_id, hour) DO UPDATE SET
    creates = creates + excluded.creates,
    updates = updates + excluded.updates,
    disables = disables + excluded.disables,
    deletes = deletes + excluded.deletes,
    refused = refused + excluded.refused,
    log_bytes = log_bytes + excluded.log_bytes;
END;
--> statement-breakpoint
-- 1,000 entries have at least 512,000 bytes: more than came since the last time.
CREATE TRIGGER tenants_log_full AFTER UPDATE OF log_bytes ON tenants
WHEN NEW.log_bytes > 268435456 AND NEW.log_bytes > OLD.log_bytes
BEGIN
  UPDATE tenants SET log_bytes = log_bytes - (SELECT coalesce(sum(bytes), 0) FROM (
    SELECT bytes FROM provisioning_log WHERE tenant_id = NEW.id ORDER BY id LIMIT 1000)) WHERE id = NEW.id;
  DELETE FROM provisioning_log WHERE rowid IN (
    SELECT rowid FROM provisioning_log WHERE tenant_id = NEW.id ORDER BY id LIMIT 1000);
END;
--> statement-breakpoint
-- Users whom an administrator has disabled at once. The table is generated from src/storage/tables/; STRICT, WITHOUT ROWID and
-- the triggers are added by hand.
CREATE TABLE `emergency_disables` (
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`time` integer NOT NULL,
	`detail` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `user_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
-- The entry of the log is in the transaction of the write. A copy of a tenant brings its rows along.
CREATE TRIGGER emergency_disables_stored AFTER INSERT ON provisioning_log
WHEN NEW.action = 'disable' AND NEW.outcome = 'accepted' AND NEW.client_id = NEW.tenant_id || '_administrator'
  AND NEW.detail LIKE 'disabled by an administrator%'
  AND (SELECT state FROM tenants WHERE id = NEW.tenant_id) = 'ready'
BEGIN
  INSERT OR REPLACE INTO emergency_disables (tenant_id, user_id, time, detail)
  VALUES (NEW.tenant_id, NEW.resource_id, NEW.time, NEW.detail);
END;
--> statement-breakpoint
-- The user is enabled again, or deleted. If a client has enabled it, its entry tells that it undoes the disabling.
CREATE TRIGGER emergency_disables_ended AFTER INSERT ON provisioning_log
WHEN NEW.action IN ('enable', 'delete') AND NEW.outcome = 'accepted'
  AND EXISTS (SELECT 1 FROM emergency_disables WHERE tenant_id = NEW.tenant_id AND user_id = NEW.resource_id)
  AND (SELECT state FROM tenants WHERE id = NEW.tenant_id) = 'ready'
BEGIN
  UPDATE provisioning_log SET detail = iif(detail IS NULL, '', detail || '; ') || 'undoes what an administrator did: ' ||
    (SELECT e.detail || ' (' || strftime('%Y-%m-%d %H:%M', e.time / 1000, 'unixepoch') || ' UTC)' FROM emergency_disables AS e
      WHERE e.tenant_id = NEW.tenant_id AND e.user_id = NEW.resource_id)
  WHERE tenant_id = NEW.tenant_id AND id = NEW.id AND NEW.action = 'enable' AND client_id <> NEW.tenant_id || '_administrator';
  DELETE FROM emergency_disables WHERE tenant_id = NEW.tenant_id AND user_id = NEW.resource_id;
END;
--> statement-breakpoint
CREATE TRIGGER tenants_deleted_emergency_disables AFTER DELETE ON tenants
BEGIN
  DELETE FROM emergency_disables WHERE tenant_id = OLD.id;
END;
