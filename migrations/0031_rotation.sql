-- The characters by which an administrator recognises a token, and the rotation of secrets. Columns and indexes are
-- generated from src/storage/tables/tables.ts.
ALTER TABLE `tokens` ADD `last_characters` text;--> statement-breakpoint
ALTER TABLE `client_secrets` ADD `replaced_by` text;--> statement-breakpoint
CREATE INDEX `tokens_replaced` ON `tokens` (`replaced_by`) WHERE replaced_by IS NOT NULL;--> statement-breakpoint
CREATE INDEX `client_secrets_replaced` ON `client_secrets` (`replaced_by`) WHERE replaced_by IS NOT NULL;
