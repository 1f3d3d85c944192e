/**
 * An invented resource type "Device", which is not shipped. It consists of data for the type and a migration for its table.
 */
import { attribute, multiValued, type Schema } from '../../src/scim/schema/definition.ts'
import { resourceType } from '../../src/scim/schema/resource-type.ts'
import { RESOURCE_TYPES, storedType } from '../../src/storage/tables/resource-tables.ts'

export const DEVICE = 'urn:example:params:scim:schemas:2.0:Device'

const SCHEMA = {
  id: DEVICE,
  name: 'Device',
  description: 'A computer or phone.',
  attributes: [
    attribute('displayName', 'string', 'The name of the device.', { required: true }),
    attribute('serialNumber', 'string', 'The number that the manufacturer assigned.', {
      required: true,
      caseExact: true,
      uniqueness: 'server',
    }),
    attribute('model', 'string', 'The model of the device.'),
    attribute('memory', 'integer', 'Its memory in MB.'),
    multiValued('addresses', 'Where it is in the network.', attribute('value', 'string', 'An address.'), [
      'wired',
      'wireless',
    ]),
  ],
} as const satisfies Schema

export const DEVICE_TYPE = storedType(
  resourceType(
    {
      name: 'Device',
      endpoint: '/Devices',
      description: 'Device',
      nameAttribute: 'displayName',
      isMember: false,
    },
    SCHEMA,
  ),
  {
    name: 'devices',
    columns: {
      displayName: { column: 'display_name_key', index: 'order' },
      serialNumber: { column: 'serial_number', index: 'order' },
      externalId: { column: 'external_id', index: 'value' },
    },
    hasTimeIndex: true,
    counters: {
      count: 'device_count',
      blocks: 'device_blocks',
      pieces: 'device_pieces',
      objects: 'device_objects',
    },
    rowBytes: 2_000,
    largeBytes: 4096,
  },
)

export const TYPES_WITH_DEVICE = [...RESOURCE_TYPES, DEVICE_TYPE]

/** The statements of the migration, in order. */
export const DEVICE_MIGRATION: readonly string[] = [
  `ALTER TABLE tenants ADD device_count integer DEFAULT 0 NOT NULL`,
  ...['blocks', 'pieces', 'objects'].map(
    (name) => `ALTER TABLE tenants ADD device_${name} integer DEFAULT 0 NOT NULL`,
  ),
  `CREATE TABLE devices (
    tenant_id text NOT NULL,
    id text NOT NULL,
    data text NOT NULL,
    keys text NOT NULL,
    version integer NOT NULL,
    created_at integer NOT NULL,
    last_modified integer NOT NULL,
    created_by text,
    modified_by text,
    display_name_key text GENERATED ALWAYS AS (json_extract(keys, '$.displayName')) VIRTUAL,
    serial_number text GENERATED ALWAYS AS (json_extract(keys, '$.serialNumber')) VIRTUAL,
    external_id text GENERATED ALWAYS AS (json_extract(keys, '$.externalId')) VIRTUAL,
    ${[1, 2, 3, 4, 5].map((n) => `x${n} any GENERATED ALWAYS AS (json_extract(keys, '$.x${n}')) VIRTUAL,`).join(' ')}
    blocks integer GENERATED ALWAYS AS ((octet_length(data) + octet_length(keys)
      + 256 * max(octet_length(keys) - octet_length(replace(keys, '{', '')) - 8, 0)) / 4096) VIRTUAL,
    pieces integer GENERATED ALWAYS AS (max(octet_length(data) + octet_length(keys) - 1024, 0) / 256) VIRTUAL,
    objects integer GENERATED ALWAYS AS (max(octet_length(keys) - octet_length(replace(keys, '{', '')) - 4, 0)) VIRTUAL,
    PRIMARY KEY(tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES tenants(id)
  ) STRICT`,
  `CREATE INDEX devices_by_name ON devices (tenant_id, display_name_key, id)`,
  `CREATE UNIQUE INDEX devices_by_serial_number ON devices (tenant_id, serial_number)`,
  `CREATE INDEX devices_by_external_id ON devices (tenant_id, external_id) WHERE external_id IS NOT NULL`,
  `CREATE INDEX devices_by_modified ON devices (tenant_id, last_modified, id)`,
  ...[1, 2, 3, 4, 5].map(
    (n) => `CREATE INDEX devices_by_x${n} ON devices (tenant_id, x${n}, id) WHERE x${n} IS NOT NULL`,
  ),
  `CREATE INDEX devices_by_size ON devices (tenant_id, octet_length(data)) WHERE octet_length(data) > 4096`,
  `CREATE TRIGGER devices_inserted AFTER INSERT ON devices BEGIN
    UPDATE tenants SET device_count = device_count + 1, device_blocks = device_blocks + NEW.blocks,
      device_pieces = device_pieces + NEW.pieces, device_objects = device_objects + NEW.objects
    WHERE id = NEW.tenant_id;
  END`,
  `CREATE TRIGGER devices_updated AFTER UPDATE OF keys ON devices BEGIN
    UPDATE tenants SET device_blocks = device_blocks + NEW.blocks - OLD.blocks,
      device_pieces = device_pieces + NEW.pieces - OLD.pieces,
      device_objects = device_objects + NEW.objects - OLD.objects
    WHERE id = NEW.tenant_id;
  END`,
  `CREATE TRIGGER devices_deleted AFTER DELETE ON devices BEGIN
    UPDATE tenants SET device_count = device_count - 1, device_blocks = device_blocks - OLD.blocks,
      device_pieces = device_pieces - OLD.pieces, device_objects = device_objects - OLD.objects
    WHERE id = OLD.tenant_id;
  END`,
]
