-- The users and groups of each client: those that it created or wrote last. Generated from src/storage/tables/; STRICT, WITHOUT
-- ROWID and triggers are added by hand. This migration reads no resource: the next sweep of a tenant's sources adds those that
-- are there and have a source, and the dashboard says so until then.
CREATE TABLE `resource_sources` (
	`tenant_id` text NOT NULL,
	`client_id` text NOT NULL,
	`resource_type` text NOT NULL,
	`resource_id` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `client_id`, `resource_type`, `resource_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `source_sweeps` ADD `unlisted` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
INSERT INTO source_sweeps (tenant_id, unlisted) SELECT id, 1 FROM tenants WHERE user_count > 0 OR group_count > 0
ON CONFLICT (tenant_id) DO UPDATE SET unlisted = 1, position = NULL, counting = NULL;
--> statement-breakpoint
CREATE TRIGGER users_sources_inserted AFTER INSERT ON users
WHEN NEW.created_by IS NOT NULL OR NEW.modified_by IS NOT NULL
BEGIN
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.created_by, 'User', NEW.id WHERE NEW.created_by IS NOT NULL
  ON CONFLICT DO NOTHING;
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.modified_by, 'User', NEW.id WHERE NEW.modified_by IS NOT NULL
  ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER users_sources_updated AFTER UPDATE OF created_by, modified_by ON users
WHEN OLD.created_by IS NOT NEW.created_by OR OLD.modified_by IS NOT NEW.modified_by
BEGIN
  DELETE FROM resource_sources WHERE tenant_id = OLD.tenant_id AND client_id IN (OLD.created_by, OLD.modified_by)
    AND client_id IS NOT NEW.created_by AND client_id IS NOT NEW.modified_by AND resource_type = 'User' AND resource_id = OLD.id;
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.created_by, 'User', NEW.id WHERE NEW.created_by IS NOT NULL
  ON CONFLICT DO NOTHING;
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.modified_by, 'User', NEW.id WHERE NEW.modified_by IS NOT NULL
  ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER users_sources_deleted AFTER DELETE ON users
WHEN OLD.created_by IS NOT NULL OR OLD.modified_by IS NOT NULL
BEGIN
  DELETE FROM resource_sources WHERE tenant_id = OLD.tenant_id AND client_id IN (OLD.created_by, OLD.modified_by)
    AND resource_type = 'User' AND resource_id = OLD.id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_sources_inserted AFTER INSERT ON groups
WHEN NEW.created_by IS NOT NULL OR NEW.modified_by IS NOT NULL
BEGIN
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.created_by, 'Group', NEW.id WHERE NEW.created_by IS NOT NULL
  ON CONFLICT DO NOTHING;
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.modified_by, 'Group', NEW.id WHERE NEW.modified_by IS NOT NULL
  ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER groups_sources_updated AFTER UPDATE OF created_by, modified_by ON groups
WHEN OLD.created_by IS NOT NEW.created_by OR OLD.modified_by IS NOT NEW.modified_by
BEGIN
  DELETE FROM resource_sources WHERE tenant_id = OLD.tenant_id AND client_id IN (OLD.created_by, OLD.modified_by)
    AND client_id IS NOT NEW.created_by AND client_id IS NOT NEW.modified_by AND resource_type = 'Group' AND resource_id = OLD.id;
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.created_by, 'Group', NEW.id WHERE NEW.created_by IS NOT NULL
  ON CONFLICT DO NOTHING;
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.modified_by, 'Group', NEW.id WHERE NEW.modified_by IS NOT NULL
  ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER groups_sources_deleted AFTER DELETE ON groups
WHEN OLD.created_by IS NOT NULL OR OLD.modified_by IS NOT NULL
BEGIN
  DELETE FROM resource_sources WHERE tenant_id = OLD.tenant_id AND client_id IN (OLD.created_by, OLD.modified_by)
    AND resource_type = 'Group' AND resource_id = OLD.id;
END;
