-- The values that a user no longer has are found by an index. Before, each value that was removed was compared with each new
-- one: SQLite reads the whole list of a NOT IN of several columns that may be NULL.
DROP TRIGGER changed_user_values_deleted;
--> statement-breakpoint
CREATE TRIGGER changed_user_values_deleted INSTEAD OF INSERT ON changed_user_values WHEN NEW.before IS NOT NULL
BEGIN
  DELETE FROM user_values WHERE tenant_id = NEW.tenant_id
    AND (attribute, value, user_id) IN (SELECT attribute, value, NEW.user_id FROM (
      SELECT attribute, value FROM (
        SELECT 1 AS attribute, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x'') AS value
        FROM json_each(NEW.before, '$[0]') WHERE value ->> '$.value' IS NOT NULL
        UNION ALL SELECT 2, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x'')
        FROM json_each(NEW.before, '$[1]') WHERE value ->> '$.value' IS NOT NULL
        UNION ALL SELECT key + 1, coalesce(substr(CAST(value AS BLOB), 1, 256), x'')
        FROM json_each(NEW.before) WHERE key > 1 AND type IN ('text', 'false'))
      EXCEPT SELECT attribute, value FROM (
        SELECT 1 AS attribute, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x'') AS value
        FROM json_each(NEW.after, '$[0]') WHERE value ->> '$.value' IS NOT NULL
        UNION ALL SELECT 2, coalesce(substr(CAST(value ->> '$.value' AS BLOB), 1, 256), x'')
        FROM json_each(NEW.after, '$[1]') WHERE value ->> '$.value' IS NOT NULL
        UNION ALL SELECT key + 1, coalesce(substr(CAST(value AS BLOB), 1, 256), x'')
        FROM json_each(NEW.after) WHERE key > 1 AND type IN ('text', 'false'))));
END;
