-- The words by which the dashboard finds users and groups, except those that an index of a whole value finds: the first word of
-- a name, for example. Generated from src/storage/tables/; STRICT, WITHOUT ROWID, views and triggers are added by hand. This
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
ALTER TABLE `tenants` ADD `words_position` text;--> statement-breakpoint
CREATE INDEX `tenants_without_words` ON `tenants` (`id`) WHERE words_position IS NOT NULL;
--> statement-breakpoint
-- The texts of each resource whose words are searched, as an array. The first eight have an index of their whole value.
CREATE VIEW searched_users AS SELECT tenant_id, id, json_extract(keys, '$.displayName', '$.userName', '$.name.givenName', '$.name.familyName',
    '$.emails[0].value', '$.emails[1].value', '$.emails[2].value', '$.emails[3].value', '$.name.middleName', '$.name.formatted') AS texts FROM users;
--> statement-breakpoint
CREATE VIEW searched_groups AS SELECT tenant_id, id, json_array(json_extract(keys, '$.displayName')) AS texts FROM groups;
--> statement-breakpoint
-- A row that is inserted into this view changes the words of one resource: "before" and "after" are arrays as above; NULL is no
-- resource. Only words that differ are written. What follows an @ is one word. The separators and the numbers are those of
-- src/storage/search/words.ts. Malformed JSON would refuse the write, so the characters that JSON escapes are separators.
CREATE VIEW changed_words AS SELECT NULL AS tenant_id, NULL AS resource_type, NULL AS resource_id, NULL AS before, NULL AS after;
--> statement-breakpoint
CREATE TRIGGER changed_words_deleted INSTEAD OF INSERT ON changed_words WHEN NEW.before IS NOT NULL
BEGIN
  DELETE FROM search_words WHERE tenant_id = NEW.tenant_id AND resource_type = NEW.resource_type AND (word, resource_id) IN (
  SELECT DISTINCT substr(w.value, 1, 64), NEW.resource_id
  FROM json_each(NEW.before) AS t,
    json_each('[' || json_quote(iif(instr(t.value, '@'), trim(substr(t.value, instr(t.value, '@') + 1)), '')) || ',' ||
    replace(json_quote(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(replace(replace(
    iif(instr(t.value, '@'), substr(t.value, 1, instr(t.value, '@') - 1), t.value)
    , '"', ' '), '\', ' '), '.', ' '), '-', ' '), '_', ' '), ',', ' '), char(59), ' '), ':', ' '), '/', ' '), '|', ' '),
    '(', ' '), ')', ' '), '[', ' '), ']', ' '), '{', ' '), '}', ' '), '<', ' '), '>', ' '), '+', ' '), '&', ' '), '=', ' ')
    , '''', ' '), '’', ' '), '·', ' '), '・', ' '), '–', ' '), '—', ' '), char(9), ' '), char(10), ' '), char(13), ' '),
    char(160), ' '), char(12288), ' ')
    ), ' ', '","') || ']') AS w
  WHERE t.type = 'text' AND w.key < 12 AND w.value <> '' AND NOT EXISTS (
    SELECT 1 FROM json_each(NEW.before) AS whole WHERE whole.key < 8 AND whole.type = 'text'
      AND substr(whole.value, 1, length(substr(w.value, 1, 64))) = substr(w.value, 1, 64)))
  AND word NOT IN (
  SELECT DISTINCT substr(w.value, 1, 64)
  FROM json_each(NEW.after) AS t,
    json_each('[' || json_quote(iif(instr(t.value, '@'), trim(substr(t.value, instr(t.value, '@') + 1)), '')) || ',' ||
    replace(json_quote(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(replace(replace(
    iif(instr(t.value, '@'), substr(t.value, 1, instr(t.value, '@') - 1), t.value)
    , '"', ' '), '\', ' '), '.', ' '), '-', ' '), '_', ' '), ',', ' '), char(59), ' '), ':', ' '), '/', ' '), '|', ' '),
    '(', ' '), ')', ' '), '[', ' '), ']', ' '), '{', ' '), '}', ' '), '<', ' '), '>', ' '), '+', ' '), '&', ' '), '=', ' ')
    , '''', ' '), '’', ' '), '·', ' '), '・', ' '), '–', ' '), '—', ' '), char(9), ' '), char(10), ' '), char(13), ' '),
    char(160), ' '), char(12288), ' ')
    ), ' ', '","') || ']') AS w
  WHERE t.type = 'text' AND w.key < 12 AND w.value <> '' AND NOT EXISTS (
    SELECT 1 FROM json_each(NEW.after) AS whole WHERE whole.key < 8 AND whole.type = 'text'
      AND substr(whole.value, 1, length(substr(w.value, 1, 64))) = substr(w.value, 1, 64)));
END;
--> statement-breakpoint
CREATE TRIGGER changed_words_stored INSTEAD OF INSERT ON changed_words WHEN NEW.after IS NOT NULL
BEGIN
  INSERT INTO search_words (tenant_id, resource_type, word, resource_id)
  SELECT DISTINCT NEW.tenant_id, NEW.resource_type, substr(w.value, 1, 64), NEW.resource_id
  FROM json_each(NEW.after) AS t,
    json_each('[' || json_quote(iif(instr(t.value, '@'), trim(substr(t.value, instr(t.value, '@') + 1)), '')) || ',' ||
    replace(json_quote(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(replace(replace(
    iif(instr(t.value, '@'), substr(t.value, 1, instr(t.value, '@') - 1), t.value)
    , '"', ' '), '\', ' '), '.', ' '), '-', ' '), '_', ' '), ',', ' '), char(59), ' '), ':', ' '), '/', ' '), '|', ' '),
    '(', ' '), ')', ' '), '[', ' '), ']', ' '), '{', ' '), '}', ' '), '<', ' '), '>', ' '), '+', ' '), '&', ' '), '=', ' ')
    , '''', ' '), '’', ' '), '·', ' '), '・', ' '), '–', ' '), '—', ' '), char(9), ' '), char(10), ' '), char(13), ' '),
    char(160), ' '), char(12288), ' ')
    ), ' ', '","') || ']') AS w
  WHERE t.type = 'text' AND w.key < 12 AND w.value <> '' AND NOT EXISTS (
    SELECT 1 FROM json_each(NEW.after) AS whole WHERE whole.key < 8 AND whole.type = 'text'
      AND substr(whole.value, 1, length(substr(w.value, 1, 64))) = substr(w.value, 1, 64))
  ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER users_words_inserted AFTER INSERT ON users
BEGIN
  INSERT INTO changed_words VALUES (NEW.tenant_id, 'User', NEW.id, NULL, json_extract(NEW.keys, '$.displayName', '$.userName', '$.name.givenName', '$.name.familyName',
    '$.emails[0].value', '$.emails[1].value', '$.emails[2].value', '$.emails[3].value', '$.name.middleName', '$.name.formatted'));
END;
--> statement-breakpoint
CREATE TRIGGER users_words_updated AFTER UPDATE OF keys ON users
WHEN json_extract(OLD.keys, '$.displayName', '$.userName', '$.name.givenName', '$.name.familyName',
    '$.emails[0].value', '$.emails[1].value', '$.emails[2].value', '$.emails[3].value', '$.name.middleName', '$.name.formatted')
  IS NOT json_extract(NEW.keys, '$.displayName', '$.userName', '$.name.givenName', '$.name.familyName',
    '$.emails[0].value', '$.emails[1].value', '$.emails[2].value', '$.emails[3].value', '$.name.middleName', '$.name.formatted')
BEGIN
  INSERT INTO changed_words VALUES (NEW.tenant_id, 'User', NEW.id, json_extract(OLD.keys, '$.displayName', '$.userName', '$.name.givenName', '$.name.familyName',
    '$.emails[0].value', '$.emails[1].value', '$.emails[2].value', '$.emails[3].value', '$.name.middleName', '$.name.formatted'),
    json_extract(NEW.keys, '$.displayName', '$.userName', '$.name.givenName', '$.name.familyName',
    '$.emails[0].value', '$.emails[1].value', '$.emails[2].value', '$.emails[3].value', '$.name.middleName', '$.name.formatted'));
END;
--> statement-breakpoint
CREATE TRIGGER users_words_deleted BEFORE DELETE ON users
BEGIN
  INSERT INTO changed_words VALUES (OLD.tenant_id, 'User', OLD.id, json_extract(OLD.keys, '$.displayName', '$.userName', '$.name.givenName', '$.name.familyName',
    '$.emails[0].value', '$.emails[1].value', '$.emails[2].value', '$.emails[3].value', '$.name.middleName', '$.name.formatted'), NULL);
END;
--> statement-breakpoint
CREATE TRIGGER groups_words_inserted AFTER INSERT ON groups
BEGIN
  INSERT INTO changed_words VALUES (NEW.tenant_id, 'Group', NEW.id, NULL, json_array(json_extract(NEW.keys, '$.displayName')));
END;
--> statement-breakpoint
CREATE TRIGGER groups_words_updated AFTER UPDATE OF keys ON groups
WHEN json_array(json_extract(OLD.keys, '$.displayName'))
  IS NOT json_array(json_extract(NEW.keys, '$.displayName'))
BEGIN
  INSERT INTO changed_words VALUES (NEW.tenant_id, 'Group', NEW.id, json_array(json_extract(OLD.keys, '$.displayName')),
    json_array(json_extract(NEW.keys, '$.displayName')));
END;
--> statement-breakpoint
CREATE TRIGGER groups_words_deleted BEFORE DELETE ON groups
BEGIN
  INSERT INTO changed_words VALUES (OLD.tenant_id, 'Group', OLD.id, json_array(json_extract(OLD.keys, '$.displayName')), NULL);
END;
--> statement-breakpoint
UPDATE tenants SET words_position = 'groups:' WHERE user_count > 0 OR group_count > 0;
