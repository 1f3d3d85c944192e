-- The words by which the dashboard finds users and groups, except those that an index of a whole value finds: the first word of
-- a name, for example. Generated from src/storage/tables/; STRICT, WITHOUT ROWID, view and triggers are added by hand. This
-- migration reads no resource: the words of those that are there are filled in later, in chunks
-- (src/storage/search/missing-words.ts), and the dashboard says so until then.
CREATE TABLE `search_words` (
	`tenant_id` text NOT NULL,
	`resource_type` text NOT NULL,
	`word` text NOT NULL,
	`resource_id` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `resource_type`, `word`, `resource_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `search_words_missing` ON `search_words` (`tenant_id`) WHERE word = '';
--> statement-breakpoint
ALTER TABLE `tenants` ADD `words_position` text;--> statement-breakpoint
CREATE INDEX `tenants_without_words` ON `tenants` (`id`) WHERE words_position IS NOT NULL;
--> statement-breakpoint
-- A row that is inserted into this view changes the words of one resource: "before" and "after" are JSON arrays of words, NULL
-- if there is no resource. Only words that differ are written.
CREATE VIEW changed_words AS SELECT NULL AS tenant_id, NULL AS resource_type, NULL AS resource_id, NULL AS before, NULL AS after;
--> statement-breakpoint
CREATE TRIGGER changed_words_stored INSTEAD OF INSERT ON changed_words
BEGIN
  DELETE FROM search_words WHERE tenant_id = NEW.tenant_id AND resource_type = NEW.resource_type AND resource_id = NEW.resource_id
    AND word IN (SELECT value FROM json_each(NEW.before)) AND word NOT IN (SELECT value FROM json_each(NEW.after));
  INSERT INTO search_words (tenant_id, resource_type, word, resource_id)
  SELECT NEW.tenant_id, NEW.resource_type, value, NEW.resource_id FROM json_each(NEW.after) WHERE true ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
-- The comparison document has the words of its resource, under a key that no attribute has. A version without words, which may
-- still be serving, writes documents without this key: their only word is empty, until their words are filled in.
CREATE TRIGGER users_words_inserted AFTER INSERT ON users
BEGIN
  INSERT INTO changed_words VALUES (NEW.tenant_id, 'User', NEW.id, NULL, coalesce(NEW.keys -> '$.words', '[""]'));
END;
--> statement-breakpoint
CREATE TRIGGER users_words_updated AFTER UPDATE OF keys ON users
WHEN OLD.keys -> '$.words' IS NOT NEW.keys -> '$.words' OR NEW.keys -> '$.words' IS NULL
BEGIN
  INSERT INTO changed_words VALUES (NEW.tenant_id, 'User', NEW.id,
    coalesce(OLD.keys -> '$.words', '[""]'), coalesce(NEW.keys -> '$.words', '[""]'));
END;
--> statement-breakpoint
CREATE TRIGGER users_words_deleted BEFORE DELETE ON users
BEGIN
  INSERT INTO changed_words VALUES (OLD.tenant_id, 'User', OLD.id, coalesce(OLD.keys -> '$.words', '[""]'), NULL);
END;
--> statement-breakpoint
CREATE TRIGGER groups_words_inserted AFTER INSERT ON groups
BEGIN
  INSERT INTO changed_words VALUES (NEW.tenant_id, 'Group', NEW.id, NULL, coalesce(NEW.keys -> '$.words', '[""]'));
END;
--> statement-breakpoint
CREATE TRIGGER groups_words_updated AFTER UPDATE OF keys ON groups
WHEN OLD.keys -> '$.words' IS NOT NEW.keys -> '$.words' OR NEW.keys -> '$.words' IS NULL
BEGIN
  INSERT INTO changed_words VALUES (NEW.tenant_id, 'Group', NEW.id,
    coalesce(OLD.keys -> '$.words', '[""]'), coalesce(NEW.keys -> '$.words', '[""]'));
END;
--> statement-breakpoint
CREATE TRIGGER groups_words_deleted BEFORE DELETE ON groups
BEGIN
  INSERT INTO changed_words VALUES (OLD.tenant_id, 'Group', OLD.id, coalesce(OLD.keys -> '$.words', '[""]'), NULL);
END;
--> statement-breakpoint
UPDATE tenants SET words_position = 'groups:' WHERE user_count > 0 OR group_count > 0;
