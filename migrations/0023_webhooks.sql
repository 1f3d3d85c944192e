-- Webhooks, and how far each reader of the event feed has got.
CREATE TABLE `webhooks` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`url` text NOT NULL,
	`types` text,
	`secrets` text NOT NULL,
	`state` text DEFAULT 'active' NOT NULL,
	`disabled_reason` text,
	`created_at` integer NOT NULL,
	`seq` integer NOT NULL,
	`revision` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`failing_since` integer,
	`next_attempt_at` integer,
	`last_attempt_at` integer,
	`last_success_at` integer,
	`last_error` text,
	`deliveries` text DEFAULT '[]' NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `webhooks_by_tenant` ON `webhooks` (`tenant_id`,`id`);--> statement-breakpoint
ALTER TABLE `tokens` ADD `feed_seq` integer;--> statement-breakpoint
ALTER TABLE `tokens` ADD `feed_read_at` integer;
