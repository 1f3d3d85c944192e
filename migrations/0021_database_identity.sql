-- Who a database is, the number of moves of a tenant, and how long a job has been failing.
CREATE TABLE `database_identity` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`installation` text NOT NULL
) STRICT;
--> statement-breakpoint
ALTER TABLE `jobs` ADD `failing_since` integer;--> statement-breakpoint
ALTER TABLE `tenants` ADD `moves` integer DEFAULT 0 NOT NULL;
