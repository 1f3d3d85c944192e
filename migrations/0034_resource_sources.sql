-- The users and groups of each client: those that it created or wrote last. Generated from src/storage/tables/; STRICT, WITHOUT
-- ROWID, view and triggers are added by hand. This migration reads no resource: the next sweep of a tenant's sources adds those that
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
-- A row that is inserted into this view changes the clients of one resource: those that created and last wrote it, before and
-- after, each NULL if there is none.
CREATE VIEW changed_sources AS SELECT NULL AS tenant_id, NULL AS resource_type, NULL AS resource_id,
  NULL AS created_before, NULL AS modified_before, NULL AS created_after, NULL AS modified_after;
--> statement-breakpoint
CREATE TRIGGER changed_sources_stored INSTEAD OF INSERT ON changed_sources
BEGIN
  DELETE FROM resource_sources WHERE tenant_id = NEW.tenant_id AND client_id IN (NEW.created_before, NEW.modified_before)
    AND client_id IS NOT NEW.created_after AND client_id IS NOT NEW.modified_after
    AND resource_type = NEW.resource_type AND resource_id = NEW.resource_id;
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.created_after, NEW.resource_type, NEW.resource_id WHERE NEW.created_after IS NOT NULL
  ON CONFLICT DO NOTHING;
  INSERT INTO resource_sources (tenant_id, client_id, resource_type, resource_id)
  SELECT NEW.tenant_id, NEW.modified_after, NEW.resource_type, NEW.resource_id WHERE NEW.modified_after IS NOT NULL
  ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER users_sources_inserted AFTER INSERT ON users
WHEN NEW.created_by IS NOT NULL OR NEW.modified_by IS NOT NULL
BEGIN
  INSERT INTO changed_sources VALUES (NEW.tenant_id, 'User', NEW.id, NULL, NULL, NEW.created_by, NEW.modified_by);
END;
--> statement-breakpoint
CREATE TRIGGER users_sources_updated AFTER UPDATE OF created_by, modified_by ON users
WHEN OLD.created_by IS NOT NEW.created_by OR OLD.modified_by IS NOT NEW.modified_by
BEGIN
  INSERT INTO changed_sources
  VALUES (NEW.tenant_id, 'User', NEW.id, OLD.created_by, OLD.modified_by, NEW.created_by, NEW.modified_by);
END;
--> statement-breakpoint
CREATE TRIGGER users_sources_deleted AFTER DELETE ON users
WHEN OLD.created_by IS NOT NULL OR OLD.modified_by IS NOT NULL
BEGIN
  INSERT INTO changed_sources VALUES (OLD.tenant_id, 'User', OLD.id, OLD.created_by, OLD.modified_by, NULL, NULL);
END;
--> statement-breakpoint
CREATE TRIGGER groups_sources_inserted AFTER INSERT ON groups
WHEN NEW.created_by IS NOT NULL OR NEW.modified_by IS NOT NULL
BEGIN
  INSERT INTO changed_sources VALUES (NEW.tenant_id, 'Group', NEW.id, NULL, NULL, NEW.created_by, NEW.modified_by);
END;
--> statement-breakpoint
CREATE TRIGGER groups_sources_updated AFTER UPDATE OF created_by, modified_by ON groups
WHEN OLD.created_by IS NOT NEW.created_by OR OLD.modified_by IS NOT NEW.modified_by
BEGIN
  INSERT INTO changed_sources
  VALUES (NEW.tenant_id, 'Group', NEW.id, OLD.created_by, OLD.modified_by, NEW.created_by, NEW.modified_by);
END;
--> statement-breakpoint
CREATE TRIGGER groups_sources_deleted AFTER DELETE ON groups
WHEN OLD.created_by IS NOT NULL OR OLD.modified_by IS NOT NULL
BEGIN
  INSERT INTO changed_sources VALUES (OLD.tenant_id, 'Group', OLD.id, OLD.created_by, OLD.modified_by, NULL, NULL);
END;
