/**
 * Deviations in a bulk request: the result with each deviation, and the error with `strict`. The functions in
 * src/scim/compatibility name the clients.
 */
import { describe, expect, it } from 'vitest'
import { parseBulkRequest } from '../../../src/scim/bulk-request.ts'
import { STRICT, TOLERANT } from '../../support/reading.ts'
import { BULK_REQUEST } from '../../support/urns.ts'

const request = (operation: object, more: object = {}) => ({
  schemas: [BULK_REQUEST],
  Operations: [{ method: 'DELETE', path: '/Users/x', ...operation }],
  ...more,
})

describe('a bulk request', () => {
  it.for<[deviation: string, body: object, scimType: string]>([
    ['readsMethodInAnyCase', request({ method: 'delete' }), 'invalidSyntax'],
    ['readsZeroAsNoErrorLimit', request({}, { failOnErrors: 0 }), 'invalidValue'],
    ['readsEmptyTextAsNoBulkId', request({ bulkId: '' }), 'invalidSyntax'],
    ['readsEmptyTextAsNoBulkId', request({ version: '' }), 'invalidSyntax'],
  ])('is accepted only with %s: %j', ([, body, scimType]) => {
    expect(() => parseBulkRequest(body, TOLERANT)).not.toThrow()
    expect(() => parseBulkRequest(body, STRICT)).toThrow(expect.objectContaining({ status: 400, scimType }))
  })

  it('that follows RFC 7644 is accepted by the strict profile', () => {
    const body = request({ bulkId: null, version: 'W/"1"' }, { failOnErrors: null })
    expect(parseBulkRequest(body, STRICT)).toEqual({
      operations: [
        { method: 'DELETE', path: '/Users/x', bulkId: undefined, version: 'W/"1"', data: undefined },
      ],
      failOnErrors: undefined,
    })
  })
})
