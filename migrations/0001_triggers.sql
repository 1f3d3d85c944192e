-- What the database holds by itself, whoever writes: the group limit, both ends of a membership, the kept
-- counts of a tenant, and the guards of a batch.

-- A statement of a batch that selects a rule into this view ends the whole batch: D1 has no other way to
-- take a transaction back on a condition.
CREATE VIEW guards AS SELECT NULL AS rule;
--> statement-breakpoint
CREATE TRIGGER guards_abort INSTEAD OF INSERT ON guards
BEGIN
  SELECT RAISE(ABORT, 'guard: no token') WHERE NEW.rule = 'none';
  SELECT RAISE(ABORT, 'guard: read token') WHERE NEW.rule = 'read';
  SELECT RAISE(ABORT, 'guard: stale version') WHERE NEW.rule = 'stale';
END;
--> statement-breakpoint
CREATE TRIGGER groups_limit BEFORE INSERT ON groups
WHEN (SELECT group_count >= group_limit FROM tenants WHERE id = NEW.tenant_id)
BEGIN
  SELECT RAISE(ABORT, 'guard: group limit');
END;
--> statement-breakpoint
CREATE TRIGGER memberships_ends BEFORE INSERT ON memberships
WHEN NOT EXISTS (SELECT 1 FROM groups WHERE tenant_id = NEW.tenant_id AND id = NEW.group_id)
  OR NOT EXISTS (SELECT 1 FROM users WHERE NEW.member_type = 'User' AND tenant_id = NEW.tenant_id AND id = NEW.member_id)
  AND NOT EXISTS (SELECT 1 FROM groups WHERE NEW.member_type = 'Group' AND tenant_id = NEW.tenant_id AND id = NEW.member_id)
BEGIN
  SELECT RAISE(ABORT, 'guard: unknown member');
END;
--> statement-breakpoint
CREATE TRIGGER users_inserted AFTER INSERT ON users
BEGIN
  UPDATE tenants SET user_count = user_count + 1, active_user_count = active_user_count + (NEW.active IS 1)
  WHERE id = NEW.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER users_activated AFTER UPDATE OF keys ON users WHEN OLD.active IS NOT NEW.active
BEGIN
  UPDATE tenants SET active_user_count = active_user_count + (NEW.active IS 1) - (OLD.active IS 1)
  WHERE id = NEW.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER users_deleted AFTER DELETE ON users
BEGIN
  DELETE FROM memberships WHERE tenant_id = OLD.tenant_id AND member_id = OLD.id;
  UPDATE tenants SET user_count = user_count - 1, active_user_count = active_user_count - (OLD.active IS 1)
  WHERE id = OLD.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_inserted AFTER INSERT ON groups
BEGIN
  UPDATE tenants SET group_count = group_count + 1 WHERE id = NEW.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_deleted AFTER DELETE ON groups
BEGIN
  DELETE FROM memberships WHERE tenant_id = OLD.tenant_id AND group_id = OLD.id;
  DELETE FROM memberships WHERE tenant_id = OLD.tenant_id AND member_id = OLD.id;
  UPDATE tenants SET group_count = group_count - 1 WHERE id = OLD.tenant_id;
END;
