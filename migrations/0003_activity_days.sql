-- Activity of past days as one row a day: a chart of 30 days then reads 30 rows and not 720 hours.
-- Generated from src/storage/tables.ts; STRICT, WITHOUT ROWID and triggers added by hand.
CREATE TABLE `provisioning_days` (
	`tenant_id` text NOT NULL,
	`day` integer NOT NULL,
	`creates` integer NOT NULL,
	`updates` integer NOT NULL,
	`disables` integer NOT NULL,
	`deletes` integer NOT NULL,
	`refused` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `day`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
DROP TRIGGER provisioning_activity_pruned;
--> statement-breakpoint
-- Runs when an hour is new: once an hour at most, so a logged write still costs one more row.
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
  DELETE FROM provisioning_activity WHERE tenant_id = NEW.tenant_id AND hour < NEW.hour - 86400000;
  DELETE FROM provisioning_days WHERE tenant_id = NEW.tenant_id AND day < NEW.hour - 32 * 86400000;
END;
--> statement-breakpoint
CREATE TRIGGER tenants_deleted_days AFTER DELETE ON tenants
BEGIN
  DELETE FROM provisioning_days WHERE tenant_id = OLD.id;
END;
