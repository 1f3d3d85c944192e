-- What it costs to read a whole directory is known before it begins: the size of what is stored is kept with the
-- tenant, and memberships of groups in groups have a limit.
--
-- A row has a block for each 4 KiB of its documents. From the ninth on an object in them counts 256 bytes more, because
-- each element of a list takes time of its own. Ordinary rows have no whole block, so to write them costs nothing more.
ALTER TABLE `users` ADD `blocks` integer GENERATED ALWAYS AS ((octet_length("data") + octet_length("keys") + 256 * max(octet_length("keys") - octet_length(replace("keys", '{', '')) - 8, 0)) / 4096) VIRTUAL;--> statement-breakpoint
ALTER TABLE `groups` ADD `blocks` integer GENERATED ALWAYS AS ((octet_length("data") + octet_length("keys") + 256 * max(octet_length("keys") - octet_length(replace("keys", '{', '')) - 8, 0)) / 4096) VIRTUAL;--> statement-breakpoint
ALTER TABLE `tenants` ADD `user_blocks` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tenants` ADD `group_blocks` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE TRIGGER users_blocks_inserted AFTER INSERT ON users WHEN NEW.blocks <> 0
BEGIN
  UPDATE tenants SET user_blocks = user_blocks + NEW.blocks WHERE id = NEW.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER users_blocks_updated AFTER UPDATE OF keys ON users WHEN OLD.blocks <> NEW.blocks
BEGIN
  UPDATE tenants SET user_blocks = user_blocks + NEW.blocks - OLD.blocks WHERE id = NEW.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER users_blocks_deleted AFTER DELETE ON users WHEN OLD.blocks <> 0
BEGIN
  UPDATE tenants SET user_blocks = user_blocks - OLD.blocks WHERE id = OLD.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_blocks_inserted AFTER INSERT ON groups WHEN NEW.blocks <> 0
BEGIN
  UPDATE tenants SET group_blocks = group_blocks + NEW.blocks WHERE id = NEW.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_blocks_updated AFTER UPDATE OF keys ON groups WHEN OLD.blocks <> NEW.blocks
BEGIN
  UPDATE tenants SET group_blocks = group_blocks + NEW.blocks - OLD.blocks WHERE id = NEW.tenant_id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_blocks_deleted AFTER DELETE ON groups WHEN OLD.blocks <> 0
BEGIN
  UPDATE tenants SET group_blocks = group_blocks - OLD.blocks WHERE id = OLD.tenant_id;
END;
--> statement-breakpoint
-- What was there before this migration. Assigned, not added, so that it may run twice.
UPDATE tenants SET
  user_blocks = (SELECT coalesce(sum(blocks), 0) FROM users WHERE users.tenant_id = tenants.id),
  group_blocks = (SELECT coalesce(sum(blocks), 0) FROM groups WHERE groups.tenant_id = tenants.id);
--> statement-breakpoint
-- The limit is MAX_NESTED_MEMBERSHIPS of src/scim/limits.ts. The index memberships_nested holds what is counted, and
-- nothing else. A tenant that is above the limit keeps what it has.
CREATE TRIGGER memberships_nested_limit BEFORE INSERT ON memberships
WHEN NEW.member_type = 'Group'
  AND (SELECT count(*) FROM memberships WHERE tenant_id = NEW.tenant_id AND member_type = 'Group') >= 1000
BEGIN
  SELECT RAISE(ABORT, 'guard: nested groups');
END;
