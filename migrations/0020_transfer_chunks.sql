-- The files of exports and imports that jobs work on.
CREATE TABLE `transfer_chunks` (
	`tenant_id` text NOT NULL,
	`job_id` text NOT NULL,
	`number` integer NOT NULL,
	`first_line` integer NOT NULL,
	`created_at` integer NOT NULL,
	`progress` text,
	`data` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `job_id`, `number`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `transfer_chunks_by_time` ON `transfer_chunks` (`created_at`);
