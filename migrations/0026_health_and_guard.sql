-- The health of clients: when each was last in contact to provision, and the state that was noticed last. Columns are
-- generated from src/storage/tables/tables.ts; STRICT is added by hand.
CREATE TABLE `client_sweep` (
	`id` integer PRIMARY KEY NOT NULL,
	`position` text NOT NULL
) STRICT;
--> statement-breakpoint
ALTER TABLE `clients` ADD `last_provisioning_at` integer;--> statement-breakpoint
ALTER TABLE `clients` ADD `contacts` text;--> statement-breakpoint
ALTER TABLE `clients` ADD `health` text;--> statement-breakpoint
ALTER TABLE `clients` ADD `health_since` integer;
