/**
 * Deviations in a bulk request: what each reads, and what `strict` answers. The functions in the source say who sends it.
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
  ])('is read with %s, and refused without: %j', ([, body, scimType]) => {
    expect(() => parseBulkRequest(body, TOLERANT)).not.toThrow()
    expect(() => parseBulkRequest(body, STRICT)).toThrow(expect.objectContaining({ status: 400, scimType }))
  })

  it('of RFC 7644 is read by the strict profile', () => {
    const body = request({ bulkId: null, version: 'W/"1"' }, { failOnErrors: null })
    expect(parseBulkRequest(body, STRICT)).toEqual({
      operations: [
        { method: 'DELETE', path: '/Users/x', bulkId: undefined, version: 'W/"1"', data: undefined },
      ],
      failOnErrors: undefined,
    })
  })
})
