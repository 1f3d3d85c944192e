-- DELETE goes through a WITHOUT ROWID table by its primary key: looking for a member that way, it read every
-- membership of the tenant. Given the groups as well, which the index by member knows, it finds each row at once.
DROP TRIGGER users_deleted;
--> statement-breakpoint
CREATE TRIGGER users_deleted AFTER DELETE ON users
BEGIN
  DELETE FROM memberships WHERE tenant_id = OLD.tenant_id AND member_id = OLD.id AND group_id IN (
    SELECT group_id FROM memberships WHERE tenant_id = OLD.tenant_id AND member_id = OLD.id);
  UPDATE tenants SET user_count = user_count - 1, active_user_count = active_user_count - (OLD.active IS 1)
  WHERE id = OLD.tenant_id;
END;
--> statement-breakpoint
DROP TRIGGER groups_deleted;
--> statement-breakpoint
CREATE TRIGGER groups_deleted AFTER DELETE ON groups
BEGIN
  DELETE FROM memberships WHERE tenant_id = OLD.tenant_id AND group_id = OLD.id;
  DELETE FROM memberships WHERE tenant_id = OLD.tenant_id AND member_id = OLD.id AND group_id IN (
    SELECT group_id FROM memberships WHERE tenant_id = OLD.tenant_id AND member_id = OLD.id);
  UPDATE tenants SET group_count = group_count - 1 WHERE id = OLD.tenant_id;
END;
