-- Generated from src/storage/tables/tables.ts; STRICT, WITHOUT ROWID and the trigger are added by hand. The columns are
-- for the indexed attributes of a tenant. Its configuration maps attributes to columns, so no migration runs for a tenant.
-- The columns are virtual, and the indexes hold only rows with a value, so they hold no rows of other tenants.
CREATE TABLE `extension_tasks` (
	`tenant_id` text NOT NULL,
	`resource_type` text NOT NULL,
	`kind` text NOT NULL,
	`path` text NOT NULL,
	`slot` integer,
	`position` text DEFAULT '' NOT NULL,
	PRIMARY KEY(`tenant_id`, `kind`, `path`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `groups` ADD `x1` any GENERATED ALWAYS AS (json_extract("keys", '$.x1')) VIRTUAL;--> statement-breakpoint
ALTER TABLE `groups` ADD `x2` any GENERATED ALWAYS AS (json_extract("keys", '$.x2')) VIRTUAL;--> statement-breakpoint
ALTER TABLE `groups` ADD `x3` any GENERATED ALWAYS AS (json_extract("keys", '$.x3')) VIRTUAL;--> statement-breakpoint
ALTER TABLE `groups` ADD `x4` any GENERATED ALWAYS AS (json_extract("keys", '$.x4')) VIRTUAL;--> statement-breakpoint
ALTER TABLE `groups` ADD `x5` any GENERATED ALWAYS AS (json_extract("keys", '$.x5')) VIRTUAL;--> statement-breakpoint
CREATE INDEX `groups_by_x1` ON `groups` (`tenant_id`,`x1`,`id`) WHERE x1 IS NOT NULL;--> statement-breakpoint
CREATE INDEX `groups_by_x2` ON `groups` (`tenant_id`,`x2`,`id`) WHERE x2 IS NOT NULL;--> statement-breakpoint
CREATE INDEX `groups_by_x3` ON `groups` (`tenant_id`,`x3`,`id`) WHERE x3 IS NOT NULL;--> statement-breakpoint
CREATE INDEX `groups_by_x4` ON `groups` (`tenant_id`,`x4`,`id`) WHERE x4 IS NOT NULL;--> statement-breakpoint
CREATE INDEX `groups_by_x5` ON `groups` (`tenant_id`,`x5`,`id`) WHERE x5 IS NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `x1` any GENERATED ALWAYS AS (json_extract("keys", '$.x1')) VIRTUAL;--> statement-breakpoint
ALTER TABLE `users` ADD `x2` any GENERATED ALWAYS AS (json_extract("keys", '$.x2')) VIRTUAL;--> statement-breakpoint
ALTER TABLE `users` ADD `x3` any GENERATED ALWAYS AS (json_extract("keys", '$.x3')) VIRTUAL;--> statement-breakpoint
ALTER TABLE `users` ADD `x4` any GENERATED ALWAYS AS (json_extract("keys", '$.x4')) VIRTUAL;--> statement-breakpoint
ALTER TABLE `users` ADD `x5` any GENERATED ALWAYS AS (json_extract("keys", '$.x5')) VIRTUAL;--> statement-breakpoint
CREATE INDEX `users_by_x1` ON `users` (`tenant_id`,`x1`,`id`) WHERE x1 IS NOT NULL;--> statement-breakpoint
CREATE INDEX `users_by_x2` ON `users` (`tenant_id`,`x2`,`id`) WHERE x2 IS NOT NULL;--> statement-breakpoint
CREATE INDEX `users_by_x3` ON `users` (`tenant_id`,`x3`,`id`) WHERE x3 IS NOT NULL;--> statement-breakpoint
CREATE INDEX `users_by_x4` ON `users` (`tenant_id`,`x4`,`id`) WHERE x4 IS NOT NULL;--> statement-breakpoint
CREATE INDEX `users_by_x5` ON `users` (`tenant_id`,`x5`,`id`) WHERE x5 IS NOT NULL;
--> statement-breakpoint
CREATE TRIGGER tenants_deleted_extension_tasks AFTER DELETE ON tenants
BEGIN
  DELETE FROM extension_tasks WHERE tenant_id = OLD.id;
END;
