-- Generated from src/storage/tables.ts; STRICT and WITHOUT ROWID added by hand. Wide rows keep their rowid:
-- in a WITHOUT ROWID table they would spill out of the pages of the primary key.
CREATE TABLE `groups` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`data` text NOT NULL,
	`keys` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`last_modified` integer NOT NULL,
	`member_count` integer DEFAULT 0 NOT NULL,
	`display_name_key` text GENERATED ALWAYS AS (json_extract("keys", '$.displayName')) VIRTUAL,
	`external_id` text GENERATED ALWAYS AS (json_extract("keys", '$.externalId')) VIRTUAL,
	`native_object_id_key` text GENERATED ALWAYS AS (json_extract("keys", '$."urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:Group".nativeObjectId')) VIRTUAL,
	PRIMARY KEY(`tenant_id`, `id`),
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `groups_by_display_name` ON `groups` (`tenant_id`,`display_name_key`);--> statement-breakpoint
CREATE INDEX `groups_by_external_id` ON `groups` (`tenant_id`,`external_id`) WHERE external_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `groups_by_native_object_id` ON `groups` (`tenant_id`,`native_object_id_key`) WHERE native_object_id_key IS NOT NULL;--> statement-breakpoint
CREATE TABLE `memberships` (
	`tenant_id` text NOT NULL,
	`group_id` text NOT NULL,
	`member_id` text NOT NULL,
	`member_type` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `group_id`, `member_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `memberships_by_member` ON `memberships` (`tenant_id`,`member_id`,`group_id`);--> statement-breakpoint
CREATE TABLE `provisioning_log` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`time` integer NOT NULL,
	`token_id` text NOT NULL,
	`action` text NOT NULL,
	`outcome` text NOT NULL,
	`resource_type` text NOT NULL,
	`resource_id` text,
	`resource_name` text,
	`status` integer NOT NULL,
	`scim_type` text,
	`detail` text,
	`changes` text NOT NULL,
	`ignored` text NOT NULL,
	`request_id` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `provisioning_log_by_resource` ON `provisioning_log` (`tenant_id`,`resource_id`,`id`);--> statement-breakpoint
CREATE TABLE `tenants` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`group_limit` integer DEFAULT 200 NOT NULL,
	`user_count` integer DEFAULT 0 NOT NULL,
	`active_user_count` integer DEFAULT 0 NOT NULL,
	`group_count` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`scope` text NOT NULL,
	`hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`revoked_at` integer,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_by_hash` ON `tokens` (`hash`);--> statement-breakpoint
CREATE INDEX `tokens_by_tenant` ON `tokens` (`tenant_id`,`id`);--> statement-breakpoint
CREATE TABLE `users` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`data` text NOT NULL,
	`keys` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`last_modified` integer NOT NULL,
	`user_name_key` text GENERATED ALWAYS AS (json_extract("keys", '$.userName')) VIRTUAL,
	`external_id` text GENERATED ALWAYS AS (json_extract("keys", '$.externalId')) VIRTUAL,
	`display_name_key` text GENERATED ALWAYS AS (json_extract("keys", '$.displayName')) VIRTUAL,
	`native_object_id_key` text GENERATED ALWAYS AS (json_extract("keys", '$."urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User".nativeObjectId')) VIRTUAL,
	`active` integer GENERATED ALWAYS AS (json_extract("keys", '$.active')) VIRTUAL,
	PRIMARY KEY(`tenant_id`, `id`),
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `users_by_user_name` ON `users` (`tenant_id`,`user_name_key`);--> statement-breakpoint
CREATE INDEX `users_by_external_id` ON `users` (`tenant_id`,`external_id`) WHERE external_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `users_by_display_name` ON `users` (`tenant_id`,`display_name_key`) WHERE display_name_key IS NOT NULL;--> statement-breakpoint
CREATE INDEX `users_by_native_object_id` ON `users` (`tenant_id`,`native_object_id_key`) WHERE native_object_id_key IS NOT NULL;--> statement-breakpoint
CREATE INDEX `users_by_last_modified` ON `users` (`tenant_id`,`last_modified`);
--> statement-breakpoint
-- A single organisation never has to think of tenants.
INSERT INTO `tenants` (`id`, `name`, `created_at`) VALUES ('default', 'Default', unixepoch() * 1000);
