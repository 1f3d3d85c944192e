-- Several databases: the location of each tenant, jobs that continue in the next request, and the refusals of a tenant
-- that is being moved.
CREATE TABLE `jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`step` text NOT NULL,
	`source` text NOT NULL,
	`target` text,
	`position` text,
	`done` integer DEFAULT 0 NOT NULL,
	`total` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`error` text,
	`created_at` integer NOT NULL,
	`finished_at` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `jobs_by_tenant` ON `jobs` (`tenant_id`,`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_running` ON `jobs` (`tenant_id`) WHERE state = 'running';--> statement-breakpoint
CREATE TABLE `tenant_locations` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`database` text NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `tenants` ADD `move_job_id` text;--> statement-breakpoint
ALTER TABLE `tenants` ADD `copied_until` text;--> statement-breakpoint
CREATE INDEX `tenants_on_the_move` ON `tenants` (`id`) WHERE state IN ('moving', 'arriving', 'moved');
--> statement-breakpoint
-- The tenant is being moved and cannot be written; or it lives in another database, which the catalogue names.
CREATE TRIGGER guards_moving INSTEAD OF INSERT ON guards WHEN NEW.rule IN ('moving', 'moved')
BEGIN
  SELECT RAISE(ABORT, 'guard: moving') WHERE NEW.rule = 'moving';
  SELECT RAISE(ABORT, 'guard: moved') WHERE NEW.rule = 'moved';
END;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_guards_moving BEFORE INSERT ON provisioning_log WHEN NEW.token_id IN ('moving', 'moved')
BEGIN
  INSERT INTO guards (rule) VALUES (NEW.token_id);
END;
--> statement-breakpoint
-- A move copies the tokens: a token that is created meanwhile would be lost.
CREATE TRIGGER tokens_moving_tenant BEFORE INSERT ON tokens
WHEN (SELECT state FROM tenants WHERE id = NEW.tenant_id) IN ('moving', 'moved')
BEGIN
  SELECT RAISE(ABORT, 'guard: moving');
END;
