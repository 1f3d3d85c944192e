/** Reads all resources of a type, page by page. */
import type { JsonObject } from '../problem.ts'
import { type ObjectType, pageRequest } from './requests.ts'
import type { Failure } from './response.ts'
import type { ScimClient } from './scim-client.ts'

export interface Pages {
  readonly ok: true
  readonly resources: readonly JsonObject[]
  /** As the last response named it. More than the resources read if the endpoint returned shorter pages. */
  readonly totalResults: number
}

/**
 * Asks for `count` resources from the first on. `startIndex` grows by `count` until it is greater than `totalResults`,
 * whatever the length of a page.
 */
export async function readPages(
  client: Pick<ScimClient, 'send'>,
  type: ObjectType,
  count: number,
): Promise<Pages | Failure> {
  const resources: JsonObject[] = []
  for (let startIndex = 1; ; startIndex += count) {
    const page = await client.send('match', pageRequest(type, startIndex, count))
    if (!page.ok) return page
    resources.push(...page.resources)
    const totalResults = page.totalResults ?? resources.length
    const isLast = startIndex + count > totalResults || page.resources.length === 0
    if (isLast) return { ok: true, resources, totalResults }
  }
}
