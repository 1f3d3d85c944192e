-- What the pages of the dashboard read: the groups that a user joined and left, and the search of tenants. Generated from
-- src/storage/tables/; STRICT, WITHOUT ROWID and triggers are added by hand. The words of the tenants that are there are filled in
-- by the hourly maintenance (src/storage/tenants/name-words.ts), and the search looks at their names until then. The indexes of
-- events read the type of each event, and the members of those of groups.
CREATE TABLE `tenant_words` (
	`word` text NOT NULL,
	`tenant_id` text NOT NULL,
	PRIMARY KEY(`word`, `tenant_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
DROP INDEX `events_of_tenant`;
--> statement-breakpoint
CREATE INDEX `events_of_member` ON `events` (`tenant_id`,data ->> '$.members[0]',`seq`) WHERE type IN ('group.members_added', 'group.members_removed') AND data ->> '$.members[1]' IS NULL;
--> statement-breakpoint
CREATE INDEX `events_of_members` ON `events` (`tenant_id`,`seq`) WHERE type IN ('group.members_added', 'group.members_removed') AND data ->> '$.members[1]' IS NOT NULL;
--> statement-breakpoint
CREATE INDEX `events_of_tenant` ON `events` (`tenant_id`,`type`,`seq`) WHERE resource_id IS NULL;
--> statement-breakpoint
ALTER TABLE `tenants` ADD `name_words` text;
--> statement-breakpoint
CREATE INDEX `tenants_without_name_words` ON `tenants` (`id`) WHERE name_words IS NULL;
--> statement-breakpoint
CREATE TRIGGER tenants_words_inserted AFTER INSERT ON tenants WHEN NEW.name_words IS NOT NULL
BEGIN
  INSERT INTO tenant_words (word, tenant_id) SELECT value, NEW.id FROM json_each(NEW.name_words, '$.words') WHERE true
  ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER tenants_words_updated AFTER UPDATE OF name_words ON tenants WHEN OLD.name_words IS NOT NEW.name_words
BEGIN
  DELETE FROM tenant_words WHERE tenant_id = OLD.id AND word IN (SELECT value FROM json_each(OLD.name_words, '$.words'));
  INSERT INTO tenant_words (word, tenant_id) SELECT value, NEW.id FROM json_each(NEW.name_words, '$.words') WHERE true
  ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
-- An earlier version, which may still be serving, changes a name without its words: they are forgotten, and filled in again.
CREATE TRIGGER tenants_renamed AFTER UPDATE OF name ON tenants WHEN NEW.name_words ->> '$.of' IS NOT NEW.name
BEGIN
  UPDATE tenants SET name_words = NULL WHERE id = NEW.id AND name_words IS NOT NULL;
END;
--> statement-breakpoint
CREATE TRIGGER tenants_words_deleted AFTER DELETE ON tenants WHEN OLD.name_words IS NOT NULL
BEGIN
  DELETE FROM tenant_words WHERE tenant_id = OLD.id AND word IN (SELECT value FROM json_each(OLD.name_words, '$.words'));
END;
