-- What the dashboard shows without counting: provisioning activity by the hour, and memberships of a tenant.
-- Generated from src/storage/tables.ts; STRICT, WITHOUT ROWID, triggers and first values added by hand.
CREATE TABLE `ended_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`expires_at` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `provisioning_activity` (
	`tenant_id` text NOT NULL,
	`hour` integer NOT NULL,
	`creates` integer NOT NULL,
	`updates` integer NOT NULL,
	`disables` integer NOT NULL,
	`deletes` integer NOT NULL,
	`refused` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `hour`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `tenants` ADD `membership_count` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tokens` ADD `replaced_by` text;--> statement-breakpoint
CREATE INDEX `provisioning_log_refused` ON `provisioning_log` (`tenant_id`,`id`) WHERE outcome = 'refused';
--> statement-breakpoint
-- Each logged write costs one more written row: that of its hour.
CREATE TRIGGER provisioning_log_counted AFTER INSERT ON provisioning_log
BEGIN
  INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused)
  VALUES (
    NEW.tenant_id,
    NEW.time - NEW.time % 3600000,
    NEW.outcome = 'accepted' AND NEW.action = 'create',
    NEW.outcome = 'accepted' AND NEW.action NOT IN ('create', 'disable', 'delete'),
    NEW.outcome = 'accepted' AND NEW.action = 'disable',
    NEW.outcome = 'accepted' AND NEW.action = 'delete',
    NEW.outcome = 'refused'
  )
  ON CONFLICT (tenant_id, hour) DO UPDATE SET
    creates = creates + excluded.creates,
    updates = updates + excluded.updates,
    disables = disables + excluded.disables,
    deletes = deletes + excluded.deletes,
    refused = refused + excluded.refused;
END;
--> statement-breakpoint
-- Runs when an hour is new, so hours that are older than the charts go as new ones come.
CREATE TRIGGER provisioning_activity_pruned AFTER INSERT ON provisioning_activity
BEGIN
  DELETE FROM provisioning_activity WHERE tenant_id = NEW.tenant_id AND hour < NEW.hour - 32 * 86400000;
END;
--> statement-breakpoint
CREATE TRIGGER tenants_deleted AFTER DELETE ON tenants
BEGIN
  DELETE FROM provisioning_activity WHERE tenant_id = OLD.id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_members_inserted AFTER INSERT ON groups WHEN NEW.member_count <> 0
BEGIN
  UPDATE tenants SET membership_count = membership_count + NEW.member_count WHERE id = NEW.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_members_updated AFTER UPDATE OF member_count ON groups
WHEN OLD.member_count <> NEW.member_count
BEGIN
  UPDATE tenants SET membership_count = membership_count + NEW.member_count - OLD.member_count
  WHERE id = NEW.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_members_deleted AFTER DELETE ON groups WHEN OLD.member_count <> 0
BEGIN
  UPDATE tenants SET membership_count = membership_count - OLD.member_count WHERE id = OLD.tenant_id;
END;
--> statement-breakpoint
-- What was there before this migration. Assigned, not added, so that it may run twice.
UPDATE tenants SET membership_count =
  (SELECT coalesce(sum(member_count), 0) FROM groups WHERE groups.tenant_id = tenants.id);
--> statement-breakpoint
INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused)
SELECT tenant_id, time - time % 3600000,
  sum(outcome = 'accepted' AND action = 'create'),
  sum(outcome = 'accepted' AND action NOT IN ('create', 'disable', 'delete')),
  sum(outcome = 'accepted' AND action = 'disable'),
  sum(outcome = 'accepted' AND action = 'delete'),
  sum(outcome = 'refused')
FROM provisioning_log WHERE true GROUP BY 1, 2
ON CONFLICT (tenant_id, hour) DO NOTHING;
