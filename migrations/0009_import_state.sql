-- A tenant is 'ready' for its clients, or not: 'importing' until the last line of a directory is in, 'undoing' while
-- an import is taken back, 'deleting' from the first moment of its deletion to the last.
ALTER TABLE `tenants` ADD `state` text DEFAULT 'ready' NOT NULL;--> statement-breakpoint
ALTER TABLE `tenants` ADD `imported_lines` integer;--> statement-breakpoint
ALTER TABLE `tenants` ADD `import_digest` text;--> statement-breakpoint
-- Each request reads its token and not its tenant, so the token says it too: no request reads one more row.
ALTER TABLE `tokens` ADD `tenant_state` text DEFAULT 'ready' NOT NULL;
--> statement-breakpoint
CREATE TRIGGER tenants_state AFTER UPDATE OF state ON tenants WHEN OLD.state <> NEW.state
BEGIN
  UPDATE tokens SET tenant_state = NEW.state WHERE tenant_id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER tokens_tenant_state AFTER INSERT ON tokens
WHEN (SELECT state FROM tenants WHERE id = NEW.tenant_id) <> 'ready'
BEGIN
  UPDATE tokens SET tenant_state = (SELECT state FROM tenants WHERE id = NEW.tenant_id) WHERE id = NEW.id;
END;
--> statement-breakpoint
-- A deletion takes the tokens first: with a new one somebody could write into what is being deleted.
CREATE TRIGGER tokens_deleted_tenant BEFORE INSERT ON tokens
WHEN (SELECT state FROM tenants WHERE id = NEW.tenant_id) = 'deleting'
BEGIN
  SELECT RAISE(ABORT, 'guard: deleting');
END;
--> statement-breakpoint
CREATE TRIGGER guards_importing INSTEAD OF INSERT ON guards WHEN NEW.rule = 'importing'
BEGIN
  SELECT RAISE(ABORT, 'guard: importing');
END;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_guards_importing BEFORE INSERT ON provisioning_log WHEN NEW.token_id = 'importing'
BEGIN
  INSERT INTO guards (rule) VALUES ('importing');
END;
