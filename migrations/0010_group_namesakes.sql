-- Whether the names of groups are unique becomes a choice of the tenant, which an index cannot ask for: a trigger holds
-- them unique, and a plain index finds them. The trigger is made before the unique index goes, so that at no moment
-- neither is there.
ALTER TABLE `tenants` ADD `unique_group_names` integer DEFAULT 1 NOT NULL;
--> statement-breakpoint
CREATE INDEX `groups_by_name` ON `groups` (`tenant_id`,`display_name_key`,`id`);
--> statement-breakpoint
-- The text is that of a unique index: the version before, which may still be serving, knows no other.
CREATE TRIGGER groups_unique_name_inserted BEFORE INSERT ON groups
WHEN (SELECT unique_group_names FROM tenants WHERE id = NEW.tenant_id)
  AND EXISTS (SELECT 1 FROM groups WHERE tenant_id = NEW.tenant_id AND display_name_key = NEW.display_name_key)
BEGIN
  SELECT RAISE(ABORT, 'UNIQUE constraint failed: groups.tenant_id, groups.display_name_key');
END;
--> statement-breakpoint
CREATE TRIGGER groups_unique_name_updated BEFORE UPDATE OF keys ON groups
WHEN OLD.display_name_key IS NOT NEW.display_name_key
  AND (SELECT unique_group_names FROM tenants WHERE id = NEW.tenant_id)
  AND EXISTS (SELECT 1 FROM groups WHERE tenant_id = NEW.tenant_id AND display_name_key = NEW.display_name_key)
BEGIN
  SELECT RAISE(ABORT, 'UNIQUE constraint failed: groups.tenant_id, groups.display_name_key');
END;
--> statement-breakpoint
DROP INDEX `groups_by_display_name`;
