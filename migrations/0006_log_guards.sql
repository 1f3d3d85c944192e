-- The entry of a write in the log is its guard as well: it names the token, or why the write may not be. That saves
-- the statements of a batch that would ask first.
CREATE TRIGGER provisioning_log_guards BEFORE INSERT ON provisioning_log
WHEN NEW.token_id IN ('none', 'read', 'stale')
BEGIN
  INSERT INTO guards (rule) VALUES (NEW.token_id);
END;
