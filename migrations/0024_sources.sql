-- The client of each write: who created a resource and wrote it last, who added a membership, and conflicts between them.
-- Columns are generated from src/storage/tables/tables.ts; STRICT, WITHOUT ROWID and the triggers are added by hand.
CREATE TABLE `source_conflicts` (
	`tenant_id` text NOT NULL,
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`resource_type` text NOT NULL,
	`attribute` text NOT NULL,
	`value` text,
	`resource_id` text NOT NULL,
	`client_id` text,
	`time` integer NOT NULL,
	`request_id` text,
	`other_resource_id` text,
	`other_client_id` text,
	`other_request_id` text,
	`first_seen_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`seen` integer DEFAULT 1 NOT NULL,
	`state` text DEFAULT 'open' NOT NULL,
	`closed_at` integer,
	PRIMARY KEY(`tenant_id`, `kind`, `key`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `source_conflicts_open` ON `source_conflicts` (`tenant_id`,`first_seen_at`) WHERE state = 'open';--> statement-breakpoint
CREATE INDEX `source_conflicts_closed` ON `source_conflicts` (`closed_at`) WHERE closed_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `source_emails` (
	`tenant_id` text NOT NULL,
	`email` text NOT NULL,
	`user_id` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `email`, `user_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `source_sweeps` (
	`tenant_id` text PRIMARY KEY NOT NULL,
	`position` text,
	`counting` text,
	`counts` text,
	`counted_at` integer
) STRICT;
--> statement-breakpoint
ALTER TABLE `groups` ADD `created_by` text;--> statement-breakpoint
ALTER TABLE `groups` ADD `modified_by` text;--> statement-breakpoint
ALTER TABLE `memberships` ADD `added_by` text;--> statement-breakpoint
ALTER TABLE `users` ADD `created_by` text;--> statement-breakpoint
ALTER TABLE `users` ADD `modified_by` text;
--> statement-breakpoint
CREATE TRIGGER tenants_deleted_sources AFTER DELETE ON tenants
BEGIN
  DELETE FROM source_conflicts WHERE tenant_id = OLD.id;
  DELETE FROM source_emails WHERE tenant_id = OLD.id;
  DELETE FROM source_sweeps WHERE tenant_id = OLD.id;
END;
--> statement-breakpoint
-- A conflict that opens has an event, in the same transaction. A copy of a tenant brings its events along.
CREATE VIEW opened_conflicts AS SELECT tenant_id, kind, key FROM source_conflicts WHERE state = 'open';
--> statement-breakpoint
CREATE TRIGGER opened_conflicts_event INSTEAD OF INSERT ON opened_conflicts
WHEN (SELECT state FROM tenants WHERE id = NEW.tenant_id) = 'ready'
BEGIN
  INSERT INTO events (tenant_id, seq, type, time, client_id, request_id, resource_id, data, total_bytes)
  SELECT tenant_id, coalesce(last_seq, 0) + 1, 'source.conflict', last_seen_at, other_client_id, other_request_id,
    resource_id, json, coalesce(last_bytes, 0) + octet_length(json)
  FROM (SELECT c.*,
      json_object('kind', kind, 'resourceType', resource_type, 'attribute', attribute, 'value', value,
        'first', json_object('id', resource_id, 'clientId', client_id, 'requestId', request_id),
        'other', json_object('id', other_resource_id, 'clientId', other_client_id, 'requestId', other_request_id)) AS json,
      (SELECT max(seq) FROM events WHERE tenant_id = NEW.tenant_id) AS last_seq,
      (SELECT total_bytes FROM events WHERE tenant_id = NEW.tenant_id ORDER BY seq DESC LIMIT 1) AS last_bytes
    FROM source_conflicts AS c WHERE tenant_id = NEW.tenant_id AND kind = NEW.kind AND key = NEW.key);
END;
--> statement-breakpoint
CREATE TRIGGER source_conflicts_opened AFTER INSERT ON source_conflicts WHEN NEW.state = 'open'
BEGIN
  INSERT INTO opened_conflicts (tenant_id, kind, key) VALUES (NEW.tenant_id, NEW.kind, NEW.key);
END;
--> statement-breakpoint
CREATE TRIGGER source_conflicts_opened_again AFTER UPDATE OF state ON source_conflicts
WHEN NEW.state = 'open' AND OLD.state <> 'open'
BEGIN
  INSERT INTO opened_conflicts (tenant_id, kind, key) VALUES (NEW.tenant_id, NEW.kind, NEW.key);
END;
