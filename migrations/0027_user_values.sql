-- The values of users that filters look up, in a table of their own: a user may have several e-mail addresses, which no
-- column can hold. Generated from src/storage/tables/; STRICT, WITHOUT ROWID, views and triggers are added by hand. This
-- migration reads no user: those who are there are filled in later, in chunks (src/storage/values/missing-values.ts), and
-- until then the filters of their tenant do not use the table.
CREATE TABLE `user_values` (
	`tenant_id` text NOT NULL,
	`attribute` integer NOT NULL,
	`value` blob NOT NULL,
	`user_id` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `attribute`, `value`, `user_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `tenants` ADD `values_position` text;--> statement-breakpoint
CREATE INDEX `tenants_without_values` ON `tenants` (`id`) WHERE configuration ->> '$.valuesMissing' IS NOT NULL;
--> statement-breakpoint
-- What is looked up of each user: an array in the order of the numbers of VALUES in src/storage/tables/user-values.ts.
-- The last element is '' if the id does not tell when the user was created: it has the first 48 bits of the time in
-- milliseconds, which may differ by a minute.
CREATE VIEW looked_up_users AS SELECT tenant_id, id, json_insert(
  json_extract(keys, '$.emails', '$.phoneNumbers', '$.name.familyName', '$.name.givenName',
    '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".employeeNumber', '$.active'),
  '$[6]', iif(id >= format('%08x-%04x', max(created_at - 60000, 0) >> 16, max(created_at - 60000, 0) & 65535)
    AND id < format('%08x-%04x', (created_at + 60001) >> 16, (created_at + 60001) & 65535), NULL, '')) AS looked_up
FROM users;
--> statement-breakpoint
-- A row that is inserted into this view changes the values of one user: "before" and "after" are arrays as above; NULL is
-- no user. Only values that differ are written. Bytes are compared, and cut at MAX_VALUE_BYTES of user-values.ts.
CREATE VIEW changed_user_values AS SELECT NULL AS tenant_id, NULL AS user_id, NULL AS before, NULL AS after;
--> statement-breakpoint
CREATE TRIGGER changed_user_values_deleted INSTEAD OF INSERT ON changed_user_values WHEN NEW.before IS NOT NULL
BEGIN
  DELETE FROM user_values WHERE tenant_id = NEW.tenant_id
    AND (attribute, value, user_id) IN (SELECT attribute, value, NEW.user_id FROM (
      SELECT 1 AS attribute, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x'') AS value
      FROM json_each(NEW.before, '$[0]') WHERE value ->> '$.value' IS NOT NULL
      UNION ALL SELECT 2, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x'')
      FROM json_each(NEW.before, '$[1]') WHERE value ->> '$.value' IS NOT NULL
      UNION ALL SELECT key + 1, coalesce(substr(CAST(value AS BLOB), 1, 256), x'')
      FROM json_each(NEW.before) WHERE key > 1 AND type IN ('text', 'false')))
    AND (attribute, value) NOT IN (SELECT attribute, value FROM (
      SELECT 1 AS attribute, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x'') AS value
      FROM json_each(NEW.after, '$[0]') WHERE value ->> '$.value' IS NOT NULL
      UNION ALL SELECT 2, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x'')
      FROM json_each(NEW.after, '$[1]') WHERE value ->> '$.value' IS NOT NULL
      UNION ALL SELECT key + 1, coalesce(substr(CAST(value AS BLOB), 1, 256), x'')
      FROM json_each(NEW.after) WHERE key > 1 AND type IN ('text', 'false')));
END;
--> statement-breakpoint
CREATE TRIGGER changed_user_values_stored INSTEAD OF INSERT ON changed_user_values WHEN NEW.after IS NOT NULL
BEGIN
  INSERT INTO user_values (tenant_id, attribute, value, user_id)
  SELECT NEW.tenant_id, 1, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x''), NEW.user_id
  FROM json_each(NEW.after, '$[0]') WHERE value ->> '$.value' IS NOT NULL ON CONFLICT DO NOTHING;
  INSERT INTO user_values (tenant_id, attribute, value, user_id)
  SELECT NEW.tenant_id, 2, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x''), NEW.user_id
  FROM json_each(NEW.after, '$[1]') WHERE value ->> '$.value' IS NOT NULL ON CONFLICT DO NOTHING;
  INSERT INTO user_values (tenant_id, attribute, value, user_id)
  SELECT NEW.tenant_id, key + 1, coalesce(substr(CAST(value AS BLOB), 1, 256), x''), NEW.user_id
  FROM json_each(NEW.after) WHERE key > 1 AND type IN ('text', 'false') ON CONFLICT DO NOTHING;
END;
--> statement-breakpoint
CREATE TRIGGER users_values_inserted AFTER INSERT ON users
BEGIN
  INSERT INTO changed_user_values SELECT NEW.tenant_id, NEW.id, NULL, looked_up
  FROM looked_up_users WHERE tenant_id = NEW.tenant_id AND id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER users_values_updated AFTER UPDATE OF keys ON users
WHEN json_extract(OLD.keys, '$.emails', '$.phoneNumbers', '$.name.familyName', '$.name.givenName',
    '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".employeeNumber', '$.active')
  <> json_extract(NEW.keys, '$.emails', '$.phoneNumbers', '$.name.familyName', '$.name.givenName',
    '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".employeeNumber', '$.active')
BEGIN
  INSERT INTO changed_user_values VALUES (NEW.tenant_id, NEW.id,
    json_extract(OLD.keys, '$.emails', '$.phoneNumbers', '$.name.familyName', '$.name.givenName',
      '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".employeeNumber', '$.active'),
    json_extract(NEW.keys, '$.emails', '$.phoneNumbers', '$.name.familyName', '$.name.givenName',
      '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".employeeNumber', '$.active'));
END;
--> statement-breakpoint
CREATE TRIGGER users_values_deleted BEFORE DELETE ON users
BEGIN
  INSERT INTO changed_user_values SELECT OLD.tenant_id, OLD.id, looked_up, NULL
  FROM looked_up_users WHERE tenant_id = OLD.tenant_id AND id = OLD.id;
END;
--> statement-breakpoint
UPDATE tenants SET configuration = json_set(coalesce(configuration, '{}'), '$.valuesMissing', json('true'))
WHERE user_count > 0;
