-- Refused reads are in the log as well. The charts count writes, so a refused read that shares an entry is not counted either.
DROP TRIGGER provisioning_log_repeated;
--> statement-breakpoint
CREATE TRIGGER provisioning_log_repeated AFTER UPDATE OF repeated ON provisioning_log
WHEN NEW.action NOT IN ('authenticate', 'read')
BEGIN
  INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused)
  VALUES (NEW.tenant_id, NEW.time - NEW.time % 3600000, 0, 0, 0, 0, NEW.repeated - OLD.repeated)
  ON CONFLICT (tenant_id, hour) DO UPDATE SET refused = refused + excluded.refused;
END;
