import { describe, expect, it } from 'vitest'
import {
  type BulkOperation,
  bulkReferences,
  creatorsIn,
  creatorsOf,
  parseBulkRequest,
  resolvePath,
} from '../../src/scim/bulk-request.ts'
import { MAX_BULK_PATH_CHARACTERS } from '../../src/scim/limits.ts'
import { TOLERANT } from '../support/reading.ts'
import { BULK_REQUEST } from '../support/urns.ts'

const parsed = (Operations: readonly object[]) =>
  parseBulkRequest({ schemas: [BULK_REQUEST], Operations }, TOLERANT).operations

describe('the operations that an operation waits for', () => {
  it('are those that create what it refers to, and no more', () => {
    const nothing = Array.from({ length: 50_000 }, (_, i) => `bulkId:nothing-${i}`)
    const operations = parsed([
      { method: 'POST', path: '/Users', bulkId: 'a', data: { x: [...nothing, 'bulkId:b', 'bulkId:a'] } },
      { method: 'DELETE', path: '/Users/bulkId:a' },
      { method: 'POST', path: '/Groups', bulkId: 'b', data: {} },
    ])
    const creators = creatorsIn(operations)
    expect(operations.map((one) => creatorsOf(bulkReferences(one).bulkIds, creators))).toEqual([
      [2, 0],
      [0],
      [],
    ])
  })
})

describe('a path that is longer than the limit', () => {
  const ids = new Map([['a', '1']])
  const operation = (path: string): BulkOperation => ({
    method: 'DELETE',
    path,
    bulkId: undefined,
    version: undefined,
    data: undefined,
  })

  it('is not split, so it refers to nothing', () => {
    const path = '/bulkId:a'.repeat(MAX_BULK_PATH_CHARACTERS / 9)
    expect(bulkReferences(operation(path)).bulkIds).toEqual(new Set(['a']))
    expect(resolvePath(path, ids)).toBe('/1'.repeat(MAX_BULK_PATH_CHARACTERS / 9))
    const long = `${path}/bulkId:a`
    expect(bulkReferences(operation(long))).toEqual({ bulkIds: new Set(), values: 3 })
    expect(resolvePath(long, ids)).toBe(long)
  })
})
