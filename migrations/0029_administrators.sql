-- Named tokens of administrators, and the audit trail. Columns are generated from src/storage/tables/; STRICT and the trigger
-- are added by hand.
CREATE TABLE `admin_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`role` text NOT NULL,
	`tenants` text,
	`hash` text NOT NULL,
	`first_characters` text NOT NULL,
	`last_characters` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`revoked_at` integer
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `admin_tokens_by_hash` ON `admin_tokens` (`hash`);--> statement-breakpoint
CREATE TABLE `audit_trail` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`time` integer NOT NULL,
	`administrator` text NOT NULL,
	`via` text,
	`operation` text NOT NULL,
	`source` text NOT NULL,
	`tenant_id` text,
	`target` text,
	`outcome` text NOT NULL,
	`status` integer NOT NULL,
	`detail` text,
	`changes` text NOT NULL,
	`request_id` text NOT NULL,
	`repeated` integer DEFAULT 0 NOT NULL,
	`fold_key` text
) STRICT;
--> statement-breakpoint
CREATE INDEX `audit_trail_by_tenant` ON `audit_trail` (`tenant_id`,`seq`) WHERE tenant_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `audit_trail_by_time` ON `audit_trail` (`time`);--> statement-breakpoint
CREATE UNIQUE INDEX `audit_trail_folded` ON `audit_trail` (`fold_key`) WHERE fold_key IS NOT NULL;--> statement-breakpoint
-- MAX_AUDIT_ENTRIES
CREATE TRIGGER audit_trail_bounded AFTER INSERT ON audit_trail
BEGIN
  DELETE FROM audit_trail WHERE seq <= NEW.seq - 50000;
END;
