-- The event feed: an outbox for the events of each tenant, and the key of its cursors.
CREATE TABLE `events` (
	`tenant_id` text NOT NULL,
	`seq` integer NOT NULL,
	`type` text NOT NULL,
	`time` integer NOT NULL,
	`client_id` text,
	`request_id` text,
	`resource_id` text,
	`data` text NOT NULL,
	`total_bytes` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `seq`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `events_of_deletions` ON `events` (`tenant_id`,`resource_id`) WHERE type IN ('user.deleted', 'group.deleted');--> statement-breakpoint
ALTER TABLE `tenants` ADD `event_key` text;
--> statement-breakpoint
UPDATE tenants SET event_key = lower(hex(randomblob(16)));
--> statement-breakpoint
-- A tenant that is deleted and created again has another key, so cursors of the old one do not fit it.
CREATE TRIGGER tenants_event_key AFTER INSERT ON tenants WHEN NEW.event_key IS NULL
BEGIN
  UPDATE tenants SET event_key = lower(hex(randomblob(16))) WHERE id = NEW.id;
END;
--> statement-breakpoint
-- Beyond MAX_EVENT_BYTES, new events replace the oldest ones. Every 64 events, so that few writes look for them; it
-- deletes faster than events arrive. A copy of a tenant must stay equal to the original.
CREATE TRIGGER events_full AFTER INSERT ON events WHEN NEW.seq % 64 = 0
BEGIN
  DELETE FROM events WHERE tenant_id = NEW.tenant_id AND total_bytes < NEW.total_bytes - 268435456
    AND seq IN (SELECT seq FROM events WHERE tenant_id = NEW.tenant_id ORDER BY seq LIMIT 256)
    AND (SELECT state FROM tenants WHERE id = NEW.tenant_id) <> 'arriving';
END;
