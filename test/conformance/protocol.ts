/**
 * Helpers of the conformance tests. The URNs are copied from the RFCs, not imported from the source.
 */
import { expect } from 'vitest'
import type { Answer, Client } from '../support/harness.ts'

export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const CISCO = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'
export const LIST_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
export const SEARCH_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'
export const BULK_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
export const BULK_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse'
export const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** Checks the Error message of RFC 7644 §3.12: the status as a string, and the "scimType". */
export function expectError(answer: Answer, status: number, scimType?: string): void {
  expect(answer.body).toMatchObject({ schemas: [ERROR], status: String(status), detail: expect.any(String) })
  expect([answer.status, answer.body.scimType]).toEqual([status, scimType])
  expect(answer.headers.get('Content-Type')).toMatch(/^application\/scim\+json/)
}

/** The userNames or displayNames of a list, in order. */
export function namesIn({ body }: Answer): readonly string[] {
  return body.Resources.map(
    (resource: { userName?: string; displayName?: string }) => resource.userName ?? resource.displayName,
  )
}

/** The userNames of the matches of a filter, sorted. */
export async function found(client: Client, filter: string): Promise<readonly string[]> {
  const answer = await client.filter('/Users', filter)
  expect(answer.status, `${filter}: ${JSON.stringify(answer.body)}`).toBe(200)
  expect(answer.body.totalResults, filter).toBe(answer.body.Resources.length)
  return namesIn(answer).toSorted()
}

/** Waits for the next millisecond, because times are stored in milliseconds. */
export async function anotherMillisecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 3))
}
