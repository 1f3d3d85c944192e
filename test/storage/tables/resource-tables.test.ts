/**
 * The definition of a resource type's table: an invalid one is refused when the server starts, not by the first
 * request.
 */
import { describe, expect, it } from 'vitest'
import { attribute } from '../../../src/scim/schema/definition.ts'
import { resourceType } from '../../../src/scim/schema/resource-type.ts'
import { LARGE_USER_BYTES } from '../../../src/storage/tables/large-documents.ts'
import { storedType, type TableDefinition } from '../../../src/storage/tables/resource-tables.ts'

const COUNTERS = {
  count: 'room_count',
  blocks: 'room_blocks',
  pieces: 'room_pieces',
  objects: 'room_objects',
}

const TABLE: TableDefinition = {
  name: 'rooms',
  columns: {
    displayName: { column: 'display_name_key', index: 'order' },
    number: { column: 'number_key', index: 'order' },
  },
  counters: COUNTERS,
  rowBytes: 1_000,
  largeBytes: LARGE_USER_BYTES,
}

function room(name: string) {
  const attributes = [
    attribute('displayName', 'string', 'What people call it.', { required: true }),
    attribute('number', 'string', 'Its number.', { required: true, uniqueness: 'server' }),
  ]
  const schema = { id: 'urn:example:Room', name, description: 'A room.', attributes }
  const identity = { name, endpoint: '/Rooms', description: 'Room', nameAttribute: 'displayName' } as const
  return resourceType({ ...identity, isMember: false }, schema)
}

describe('a table of resources', () => {
  it('has the common columns and its own', () => {
    const { columns, uniqueColumn } = storedType(room('Room'), TABLE).table
    expect(columns.displayName).toEqual({ sql: 'rooms.display_name_key', index: 'order' })
    expect(columns['meta.created']?.sql).toBe('rooms.created_at')
    expect(uniqueColumn).toBe('rooms.number_key')
  })

  it.for<[problem: string, type: string, change: Partial<TableDefinition>]>([
    ['"rooms; --" of Room is not the name of a table or a column', 'Room', { name: 'rooms; --' }],
    [
      '"t.x" of Room is not the name of a table or a column',
      'Room',
      { counters: { ...COUNTERS, count: 't.x' } },
    ],
    [`"Ro'om" is not the name of a type`, "Ro'om", {}],
    ['"displayName" of Room names resources, and has no index in rooms', 'Room', { columns: {} }],
    [
      '"number" of Room is unique, and has no column in rooms',
      'Room',
      { columns: { displayName: { column: 'display_name_key', index: 'order' } } },
    ],
    ['documents of rooms are large from 4096 bytes on, found 9999', 'Room', { largeBytes: 9999 }],
  ])('is refused: %s', ([problem, type, change]) => {
    expect(() => storedType(room(type), { ...TABLE, ...change })).toThrow(problem)
  })
})
