-- A group of more than 5,000 members is deleted without its memberships of users, which are deleted afterwards in
-- chunks: the deletion of 100,000 of them takes half a second, and nobody else could write meanwhile. The table is
-- generated from src/storage/tables/tables.ts; STRICT, WITHOUT ROWID and the triggers are added by hand.
CREATE TABLE `deleted_groups` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
DROP TRIGGER groups_deleted;
--> statement-breakpoint
-- The limit is MAX_DELETED_MEMBERSHIPS in src/scim/limits.ts.
CREATE TRIGGER groups_deleted AFTER DELETE ON groups
BEGIN
  DELETE FROM memberships WHERE OLD.member_count <= 5000 AND tenant_id = OLD.tenant_id AND group_id = OLD.id;
  DELETE FROM memberships WHERE tenant_id = OLD.tenant_id AND member_id = OLD.id AND group_id IN (
    SELECT group_id FROM memberships WHERE tenant_id = OLD.tenant_id AND member_id = OLD.id);
  UPDATE tenants SET group_count = group_count - 1 WHERE id = OLD.tenant_id;
END;
--> statement-breakpoint
-- Memberships of groups always go with the group: there are few, and they would lead to groups above it and below it.
CREATE TRIGGER groups_deleted_large AFTER DELETE ON groups WHEN OLD.member_count > 5000
BEGIN
  INSERT INTO deleted_groups (tenant_id, id) VALUES (OLD.tenant_id, OLD.id);
  DELETE FROM memberships WHERE tenant_id = OLD.tenant_id AND group_id = OLD.id
    AND member_id IN (SELECT member_id FROM memberships WHERE tenant_id = OLD.tenant_id AND member_type = 'Group');
END;
--> statement-breakpoint
-- A group with the id of a deleted one, as a restore can make it, must not get the members of that one.
CREATE TRIGGER groups_made_again BEFORE INSERT ON groups
WHEN EXISTS (SELECT 1 FROM deleted_groups WHERE tenant_id = NEW.tenant_id AND id = NEW.id)
BEGIN
  DELETE FROM memberships WHERE tenant_id = NEW.tenant_id AND group_id = NEW.id;
  DELETE FROM deleted_groups WHERE tenant_id = NEW.tenant_id AND id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER tenants_deleted_groups AFTER DELETE ON tenants
BEGIN
  DELETE FROM deleted_groups WHERE tenant_id = OLD.id;
END;
