-- The health of clients: when each was last in contact to provision, and the state that was noticed last. Columns are
-- generated from src/storage/tables/tables.ts; STRICT is added by hand.
CREATE TABLE `client_sweep` (
	`id` integer PRIMARY KEY NOT NULL,
	`position` text NOT NULL
) STRICT;
--> statement-breakpoint
ALTER TABLE `clients` ADD `last_provisioning_at` integer;--> statement-breakpoint
ALTER TABLE `clients` ADD `contacts` text;--> statement-breakpoint
ALTER TABLE `clients` ADD `health` text;--> statement-breakpoint
ALTER TABLE `clients` ADD `health_since` integer;
--> statement-breakpoint
-- The guard against unusual deprovisioning: what each client takes away, in parts of a window.
CREATE TABLE `deprovisioning` (
	`tenant_id` text NOT NULL,
	`client_id` text NOT NULL,
	`bucket` integer NOT NULL,
	`users` integer NOT NULL,
	`groups` integer NOT NULL,
	`memberships` integer NOT NULL,
	`held` integer NOT NULL,
	`alarmed_at` integer,
	`alarm` text,
	PRIMARY KEY(`tenant_id`, `client_id`, `bucket`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `clients` ADD `guard_released_until` integer;
--> statement-breakpoint
-- Two days are more than a window and a day.
CREATE TRIGGER deprovisioning_pruned AFTER INSERT ON deprovisioning
BEGIN
  DELETE FROM deprovisioning WHERE tenant_id = NEW.tenant_id AND client_id = NEW.client_id
    AND bucket < NEW.bucket - 172800000;
END;
--> statement-breakpoint
CREATE TRIGGER clients_deleted_deprovisioning AFTER DELETE ON clients
BEGIN
  DELETE FROM deprovisioning WHERE tenant_id = OLD.tenant_id AND client_id = OLD.id;
END;
--> statement-breakpoint
-- What is unusual is told in the transaction of the write, or of the entry in the log if the write is held.
CREATE TRIGGER deprovisioning_alarmed AFTER UPDATE OF alarmed_at ON deprovisioning
WHEN OLD.alarmed_at IS NULL AND NEW.alarmed_at IS NOT NULL
BEGIN
  INSERT INTO events (tenant_id, seq, type, time, client_id, request_id, resource_id, data, total_bytes)
  SELECT NEW.tenant_id, coalesce(newest.seq, 0) + 1, 'deprovision.unusual', NEW.alarmed_at, NEW.client_id, NULL, NULL,
    NEW.alarm, coalesce(newest.total_bytes, 0) + octet_length(NEW.alarm)
  FROM (SELECT 1) LEFT JOIN (SELECT seq, total_bytes FROM events WHERE tenant_id = NEW.tenant_id
    ORDER BY seq DESC LIMIT 1) AS newest ON true;
END;
--> statement-breakpoint
CREATE TRIGGER guards_held INSTEAD OF INSERT ON guards WHEN NEW.rule = 'held'
BEGIN
  SELECT RAISE(ABORT, 'guard: held');
END;
