-- The actor is a client, and a token is one of its credentials. Columns are generated from src/storage/tables/tables.ts;
-- STRICT, triggers and initial values are added by hand.
CREATE TABLE `clients` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`scope` text NOT NULL,
	`cursor_key` text DEFAULT (lower(hex(randomblob(16)))) NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	`deleted_at` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `clients_by_tenant` ON `clients` (`tenant_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `clients_deleted` ON `clients` (`deleted_at`) WHERE deleted_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `tokens_revoked` ON `tokens` (`revoked_at`) WHERE revoked_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `tokens_expiring` ON `tokens` (`expires_at`) WHERE expires_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE `tokens` ADD `client_id` text;--> statement-breakpoint
ALTER TABLE `tokens` ADD `cursor_key` text;--> statement-breakpoint
ALTER TABLE `provisioning_log` ADD `client_id` text;
--> statement-breakpoint
-- One client for each token and the tokens that have replaced it. Its id is derived from the id of the first token, so that
-- the statement can run twice.
INSERT INTO clients (id, tenant_id, name, scope, created_at)
SELECT tenant_id || '_' || replace(id, '-', ''), tenant_id, name, scope, created_at
FROM tokens WHERE id NOT IN (SELECT replaced_by FROM tokens WHERE replaced_by IS NOT NULL)
ON CONFLICT (id) DO NOTHING;
--> statement-breakpoint
UPDATE tokens SET client_id = (
  WITH RECURSIVE chain(first, id) AS (
    SELECT id, id FROM tokens WHERE id NOT IN (SELECT replaced_by FROM tokens WHERE replaced_by IS NOT NULL)
    UNION SELECT chain.first, t.replaced_by FROM chain JOIN tokens AS t ON t.id = chain.id WHERE t.replaced_by IS NOT NULL)
  SELECT tokens.tenant_id || '_' || replace(first, '-', '') FROM chain WHERE chain.id = tokens.id);
--> statement-breakpoint
UPDATE tokens SET cursor_key = (SELECT cursor_key FROM clients WHERE clients.id = tokens.client_id);
--> statement-breakpoint
-- A token without a client gets a new one. The previous version, which may still be serving, creates such tokens.
CREATE TRIGGER tokens_of_client AFTER INSERT ON tokens
BEGIN
  INSERT INTO clients (id, tenant_id, name, scope, created_at)
  SELECT NEW.tenant_id || '_' || replace(NEW.id, '-', ''), NEW.tenant_id, NEW.name, NEW.scope, NEW.created_at
  WHERE NEW.client_id IS NULL;
  UPDATE tokens SET client_id = coalesce(NEW.client_id, NEW.tenant_id || '_' || replace(NEW.id, '-', ''))
  WHERE id = NEW.id;
  UPDATE tokens SET cursor_key = (SELECT cursor_key FROM clients WHERE clients.id = tokens.client_id)
  WHERE id = NEW.id;
END;
--> statement-breakpoint
-- A client was last used when one of its tokens was, deleted ones included. So no use writes a second row.
CREATE TRIGGER tokens_deleted AFTER DELETE ON tokens WHEN OLD.last_used_at IS NOT NULL
BEGIN
  UPDATE clients SET last_used_at = max(coalesce(last_used_at, 0), OLD.last_used_at) WHERE id = OLD.client_id;
END;
--> statement-breakpoint
CREATE TRIGGER tenants_deleted_clients AFTER DELETE ON tenants
BEGIN
  DELETE FROM clients WHERE tenant_id = OLD.id;
END;
--> statement-breakpoint
-- A write with an invalid token ends with the reason.
CREATE TRIGGER guards_dead_token INSTEAD OF INSERT ON guards WHEN NEW.rule IN ('revoked', 'expired')
BEGIN
  SELECT RAISE(ABORT, 'guard: revoked token') WHERE NEW.rule = 'revoked';
  SELECT RAISE(ABORT, 'guard: expired token') WHERE NEW.rule = 'expired';
END;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_guards_dead_token BEFORE INSERT ON provisioning_log
WHEN NEW.token_id IN ('revoked', 'expired')
BEGIN
  INSERT INTO guards (rule) VALUES (NEW.token_id);
END;
--> statement-breakpoint
-- Failed access is in the log as well. It is not a write, so the charts do not count it.
DROP TRIGGER provisioning_log_counted;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_counted AFTER INSERT ON provisioning_log
BEGIN
  INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused, log_bytes)
  VALUES (
    NEW.tenant_id,
    NEW.time - NEW.time % 3600000,
    NEW.outcome = 'accepted' AND NEW.action = 'create',
    NEW.outcome = 'accepted' AND NEW.action NOT IN ('create', 'disable', 'delete'),
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
--> statement-breakpoint
DROP TRIGGER provisioning_log_repeated;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_repeated AFTER UPDATE OF repeated ON provisioning_log WHEN NEW.action <> 'authenticate'
BEGIN
  INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused)
  VALUES (NEW.tenant_id, NEW.time - NEW.time % 3600000, 0, 0, 0, 0, NEW.repeated - OLD.repeated)
  ON CONFLICT (tenant_id, hour) DO UPDATE SET refused = refused + excluded.refused;
END;
