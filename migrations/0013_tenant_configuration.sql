-- The configuration of a tenant, and its version. Each request checks the version together with its token. The token has
-- a copy of it, so no request reads an additional row.
ALTER TABLE `tenants` ADD `configuration` text;--> statement-breakpoint
ALTER TABLE `tenants` ADD `version` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tokens` ADD `tenant_version` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
-- 0 is the default configuration. Any other version is used once. It is derived from the time, so that a tenant that was
-- deleted and created again, or a restored database, does not reuse a version that an isolate remembers.
CREATE TRIGGER tenants_configured AFTER UPDATE OF configuration ON tenants
WHEN OLD.configuration IS NOT NEW.configuration
BEGIN
  UPDATE tenants SET version = iif(NEW.configuration IS NULL, 0,
    max(OLD.version + 1, CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER))) WHERE id = NEW.id;
  UPDATE tokens SET tenant_version = (SELECT version FROM tenants WHERE id = NEW.id) WHERE tenant_id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER tenants_made_configured AFTER INSERT ON tenants WHEN NEW.configuration IS NOT NULL
BEGIN
  UPDATE tenants SET version = CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) WHERE id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER tokens_tenant_version AFTER INSERT ON tokens
WHEN (SELECT version FROM tenants WHERE id = NEW.tenant_id) <> 0
BEGIN
  UPDATE tokens SET tenant_version = (SELECT version FROM tenants WHERE id = NEW.tenant_id) WHERE id = NEW.id;
END;
--> statement-breakpoint
-- A write that is based on another configuration ends its batch.
CREATE TRIGGER guards_stale_tenant INSTEAD OF INSERT ON guards WHEN NEW.rule = 'stale tenant'
BEGIN
  SELECT RAISE(ABORT, 'guard: stale tenant');
END;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_guards_stale_tenant BEFORE INSERT ON provisioning_log WHEN NEW.token_id = 'stale tenant'
BEGIN
  INSERT INTO guards (rule) VALUES ('stale tenant');
END;
