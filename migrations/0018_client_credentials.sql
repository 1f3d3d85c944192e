-- OAuth 2.0: clients ask for access tokens with a secret, or with an assertion of an issuer that they trust. Columns are
-- generated from src/storage/tables/tables.ts; STRICT and triggers are added by hand.
CREATE TABLE `client_secrets` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`client_id` text NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`last_characters` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`last_used_at` integer,
	`revoked_at` integer
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `client_secrets_by_hash` ON `client_secrets` (`hash`);--> statement-breakpoint
CREATE INDEX `client_secrets_by_tenant` ON `client_secrets` (`tenant_id`,`id`);--> statement-breakpoint
CREATE INDEX `client_secrets_of_client` ON `client_secrets` (`client_id`);--> statement-breakpoint
CREATE INDEX `client_secrets_revoked` ON `client_secrets` (`revoked_at`) WHERE revoked_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `client_secrets_expiring` ON `client_secrets` (`expires_at`);--> statement-breakpoint
CREATE TABLE `client_trusts` (
	`client_id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`issuer` text NOT NULL,
	`jwks_uri` text,
	`subject` text NOT NULL,
	`audiences` text NOT NULL,
	`tid` text,
	`azp` text,
	`jwks` text,
	`jwks_fetched_at` integer,
	`created_at` integer NOT NULL,
	`last_used_at` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `client_trusts_by_tenant` ON `client_trusts` (`tenant_id`,`client_id`);--> statement-breakpoint
ALTER TABLE `clients` ADD `token_lifetime` integer DEFAULT 3600 NOT NULL;--> statement-breakpoint
ALTER TABLE `tokens` ADD `credential_id` text;--> statement-breakpoint
CREATE INDEX `tokens_issued` ON `tokens` (`client_id`,`id`) WHERE credential_id IS NOT NULL;
--> statement-breakpoint
CREATE TRIGGER clients_deleted_credentials AFTER DELETE ON clients
BEGIN
  DELETE FROM client_secrets WHERE client_id = OLD.id;
  DELETE FROM client_trusts WHERE client_id = OLD.id;
END;
--> statement-breakpoint
-- A move copies the credentials: one that is created meanwhile would be lost.
CREATE TRIGGER client_secrets_moving_tenant BEFORE INSERT ON client_secrets
WHEN (SELECT state FROM tenants WHERE id = NEW.tenant_id) IN ('moving', 'moved')
BEGIN
  SELECT RAISE(ABORT, 'guard: moving');
END;
--> statement-breakpoint
CREATE TRIGGER client_trusts_moving_tenant BEFORE INSERT ON client_trusts
WHEN (SELECT state FROM tenants WHERE id = NEW.tenant_id) IN ('moving', 'moved')
BEGIN
  SELECT RAISE(ABORT, 'guard: moving');
END;
--> statement-breakpoint
-- A write with an access token that has expired. Unlike other expired tokens, the log does not name it: its client asks
-- for the next one.
CREATE TRIGGER guards_lapsed_token INSTEAD OF INSERT ON guards WHEN NEW.rule = 'lapsed'
BEGIN
  SELECT RAISE(ABORT, 'guard: lapsed token');
END;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_guards_lapsed_token BEFORE INSERT ON provisioning_log WHEN NEW.token_id = 'lapsed'
BEGIN
  INSERT INTO guards (rule) VALUES (NEW.token_id);
END;
--> statement-breakpoint
-- Warnings of credentials that expire soon are in the log as well. They are not writes, so the charts do not count them.
DROP TRIGGER provisioning_log_counted;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_counted AFTER INSERT ON provisioning_log
BEGIN
  INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused, log_bytes)
  VALUES (
    NEW.tenant_id,
    NEW.time - NEW.time % 3600000,
    NEW.outcome = 'accepted' AND NEW.action = 'create',
    NEW.outcome = 'accepted' AND NEW.action NOT IN ('create', 'disable', 'delete', 'warn'),
    NEW.outcome = 'accepted' AND NEW.action = 'disable',
    NEW.outcome = 'accepted' AND NEW.action = 'delete',
    NEW.outcome = 'refused' AND NEW.action <> 'authenticate',
    NEW.bytes
  )
  ON CONFLICT (tenant_id, hour) DO UPDATE SET
    creates = creates + excluded.creates,
    updates = updates + excluded.updates,
    disables = disables + excluded.disables,
    deletes = deletes + excluded.deletes,
    refused = refused + excluded.refused,
    log_bytes = log_bytes + excluded.log_bytes;
END;
