-- The history of resources: the values that each change has replaced, and the resources that clients have deleted.
-- The tables are generated from src/storage/tables/; STRICT, WITHOUT ROWID and the triggers are added by hand.
CREATE TABLE `tombstone_memberships` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`first` text NOT NULL,
	`ids` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`, `kind`, `first`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `tombstones` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`seq` integer NOT NULL,
	`resource_type` text NOT NULL,
	`name` text,
	`data` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`last_modified` integer NOT NULL,
	`deleted_at` integer NOT NULL,
	`client_id` text,
	`created_by` text,
	`request_id` text NOT NULL,
	`member_count` integer NOT NULL,
	`total_bytes` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `tombstones_by_seq` ON `tombstones` (`tenant_id`,`seq`);
--> statement-breakpoint
CREATE TRIGGER tombstones_deleted AFTER DELETE ON tombstones
BEGIN
  DELETE FROM tombstone_memberships WHERE tenant_id = OLD.tenant_id AND id = OLD.id;
END;
--> statement-breakpoint
-- Beyond MAX_TOMBSTONE_BYTES, new tombstones replace the oldest ones. A copy of a tenant must stay equal to the original.
CREATE TRIGGER tombstones_full AFTER INSERT ON tombstones
WHEN NEW.total_bytes > 268435456
BEGIN
  DELETE FROM tombstones WHERE tenant_id = NEW.tenant_id AND total_bytes < NEW.total_bytes - 268435456
    AND seq IN (SELECT seq FROM tombstones WHERE tenant_id = NEW.tenant_id ORDER BY seq LIMIT 4)
    AND (SELECT state FROM tenants WHERE id = NEW.tenant_id) <> 'arriving';
END;
--> statement-breakpoint
DROP INDEX `events_of_deletions`;
--> statement-breakpoint
ALTER TABLE `events` ADD `previous` text;
--> statement-breakpoint
CREATE INDEX `events_by_resource` ON `events` (`tenant_id`,`resource_id`,`seq`) WHERE resource_id IS NOT NULL;
--> statement-breakpoint
CREATE INDEX `events_of_tenant` ON `events` (`tenant_id`,`seq`) WHERE resource_id IS NULL;
