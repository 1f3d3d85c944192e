-- The provisioning log is bounded by bytes: each tenant has 256 MiB of it, and a flood of refused writes shares entries.
-- Columns are generated from src/storage/tables.ts; triggers and first values added by hand.

-- How many more refused writes the entry stands for, and the key by which they find it. A key that another entry of the
-- tenant has makes the insertion an update: see src/storage/provisioning-log.ts. Accepted writes have none.
ALTER TABLE `provisioning_log` ADD `repeated` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `provisioning_log` ADD `fold_key` text;--> statement-breakpoint
CREATE UNIQUE INDEX `provisioning_log_folded` ON `provisioning_log` (`tenant_id`,`fold_key`) WHERE fold_key IS NOT NULL;
--> statement-breakpoint
-- What an entry takes in the file, about: 512 bytes for ids, short columns and indexes, and all that has no fixed length.
ALTER TABLE `provisioning_log` ADD `bytes` integer GENERATED ALWAYS AS (512
  + length(CAST(coalesce(resource_id, '') AS BLOB)) + length(CAST(coalesce(resource_name, '') AS BLOB))
  + length(CAST(coalesce(detail, '') AS BLOB)) + length(CAST(coalesce(changes, '') AS BLOB))
  + length(CAST(coalesce(ignored, '') AS BLOB)) + length(CAST(coalesce(request_id, '') AS BLOB))) VIRTUAL;
--> statement-breakpoint
-- The bytes of a tenant's log. Those of the newest entries are still in provisioning_activity, whose row is written with
-- each entry anyway: the bound costs no row of its own.
ALTER TABLE `tenants` ADD `log_bytes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `provisioning_activity` ADD `log_bytes` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
-- The highest time that retention has believed.
CREATE TABLE `retention_clock` (
	`id` integer PRIMARY KEY NOT NULL,
	`time` integer NOT NULL
) STRICT;
--> statement-breakpoint
INSERT INTO retention_clock (id, time) VALUES (1, unixepoch() * 1000) ON CONFLICT (id) DO NOTHING;
--> statement-breakpoint
DROP TRIGGER provisioning_log_counted;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_counted AFTER INSERT ON provisioning_log
BEGIN
  INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused, log_bytes)
  VALUES (
    NEW.tenant_id,
    NEW.time - NEW.time % 3600000,
    NEW.outcome = 'accepted' AND NEW.action = 'create',
    NEW.outcome = 'accepted' AND NEW.action NOT IN ('create', 'disable', 'delete'),
    NEW.outcome = 'accepted' AND NEW.action = 'disable',
    NEW.outcome = 'accepted' AND NEW.action = 'delete',
    NEW.outcome = 'refused',
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
-- Every refused write counts, also one that shares an entry.
CREATE TRIGGER provisioning_log_repeated AFTER UPDATE OF repeated ON provisioning_log
BEGIN
  INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused)
  VALUES (NEW.tenant_id, NEW.time - NEW.time % 3600000, 0, 0, 0, 0, NEW.repeated - OLD.repeated)
  ON CONFLICT (tenant_id, hour) DO UPDATE SET refused = refused + excluded.refused;
END;
--> statement-breakpoint
-- Every 256 KiB, which is one write in hundreds.
CREATE TRIGGER provisioning_activity_weighed AFTER UPDATE OF log_bytes ON provisioning_activity
WHEN NEW.log_bytes >= 262144
BEGIN
  UPDATE tenants SET log_bytes = log_bytes + NEW.log_bytes WHERE id = NEW.tenant_id;
  UPDATE provisioning_activity SET log_bytes = log_bytes - NEW.log_bytes
  WHERE tenant_id = NEW.tenant_id AND hour = NEW.hour;
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
DROP TRIGGER provisioning_activity_folded;
--> statement-breakpoint
-- Runs when an hour is new. The days that go are those beyond the newest 33, whatever the clock says: one that is ahead
-- must not empty a chart.
CREATE TRIGGER provisioning_activity_folded AFTER INSERT ON provisioning_activity
BEGIN
  INSERT INTO provisioning_days (tenant_id, day, creates, updates, disables, deletes, refused)
  SELECT tenant_id, hour - hour % 86400000, creates, updates, disables, deletes, refused
  FROM provisioning_activity WHERE tenant_id = NEW.tenant_id AND hour < NEW.hour - 86400000
  ON CONFLICT (tenant_id, day) DO UPDATE SET
    creates = creates + excluded.creates,
    updates = updates + excluded.updates,
    disables = disables + excluded.disables,
    deletes = deletes + excluded.deletes,
    refused = refused + excluded.refused;
  UPDATE tenants SET log_bytes = log_bytes + (SELECT coalesce(sum(log_bytes), 0) FROM provisioning_activity
    WHERE tenant_id = NEW.tenant_id AND hour < NEW.hour - 86400000) WHERE id = NEW.tenant_id;
  DELETE FROM provisioning_activity WHERE tenant_id = NEW.tenant_id AND hour < NEW.hour - 86400000;
  DELETE FROM provisioning_days WHERE tenant_id = NEW.tenant_id AND day < (
    SELECT day FROM provisioning_days WHERE tenant_id = NEW.tenant_id ORDER BY day DESC LIMIT 1 OFFSET 32);
END;
--> statement-breakpoint
-- What was there before this migration: long texts are cut as those of new entries are, then weighed. Changes had a bound.
UPDATE provisioning_log SET
  resource_id = substr(resource_id, 1, 100), resource_name = substr(resource_name, 1, 256), detail = substr(detail, 1, 1000)
WHERE length(resource_id) > 100 OR length(resource_name) > 256 OR length(detail) > 1000;
--> statement-breakpoint
UPDATE tenants SET log_bytes =
  (SELECT coalesce(sum(bytes), 0) FROM provisioning_log WHERE provisioning_log.tenant_id = tenants.id);
