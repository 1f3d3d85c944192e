/**
 * Group writes as messages: what the HTTP layer sends to whoever runs the group writes of a tenant in
 * their order, and what comes back. Plain data on both sides, so that it can cross into another process.
 */

import { requireOneProjection } from '../scim/compatibility/lists.ts'
import { ScimError, type ScimType } from '../scim/error.ts'
import { parseProjection } from '../scim/projection.ts'
import { hasMembers } from '../scim/schema/resource-type.ts'
import type { Preconditions } from '../scim/version.ts'
import { AccessRefused } from '../storage/access-refused.ts'
import { type DatabaseFigures, DatabaseUnavailable } from '../storage/database.ts'
import type { Credentials } from '../storage/tokens.ts'
import { type Call, type Rendered, readingOf, type Written } from './call.ts'
import {
  createGroup,
  deleteGroup,
  type GroupDeletion,
  type GroupWrite,
  patchGroup,
  replaceGroup,
} from './groups.ts'

/** One write of a group, as a client sent it. */
export interface GroupWriteRequest {
  readonly kind: 'create' | 'replace' | 'patch' | 'delete'
  /** The id in the path; not for `create`. */
  readonly id?: string | undefined
  /** Parsed JSON; not for `delete`. */
  readonly body?: unknown
  readonly attributes?: readonly string[] | undefined
  readonly excludedAttributes?: readonly string[] | undefined
  readonly preconditions: Preconditions
  readonly credentials: Credentials
  readonly tenantUrl: string
  readonly requestId: string
  /** Units of work that the bulk request has spent before. */
  readonly spent?: number | undefined
}

/** What came of it, and what it cost. */
export interface GroupWriteAnswer {
  readonly figures: DatabaseFigures
  /** Units of work, those spent before included; undefined from a coordinator of an earlier version. */
  readonly spent?: number | undefined
  /** The group as the client is to see it, or its version alone; undefined after a delete. */
  readonly rendered?: Rendered | Written | undefined
  /** Why it was not done. */
  readonly refusal?:
    | {
        readonly status: number
        readonly scimType: ScimType | undefined
        readonly detail: string
        /** Why the token was refused, if it was. */
        readonly access?: Pick<AccessRefused, 'reason' | 'tokenId'> | undefined
      }
    | undefined
  /** The database did not answer: try again. */
  readonly isUnavailable?: boolean | undefined
  /** What went wrong in the writer itself, for the application log: trying again does not help. */
  readonly fault?: string | undefined
}

/** Runs the group writes of one tenant in the order in which they arrive, each as if it were alone. */
export interface GroupWriter {
  write(request: GroupWriteRequest): Promise<GroupWriteAnswer>
}

/**
 * Checks a request and makes it a write that waits for its turn.
 *
 * @param types of the directory: that of groups is among them
 * @throws {ScimError} what can be said without reading: it then never waits
 */
export function prepareGroupWrite(
  request: GroupWriteRequest,
  call: Pick<Call, 'tenant' | 'work'>,
): GroupWrite | GroupDeletion {
  const type = call.tenant.resourceTypes.find(hasMembers)
  if (type === undefined) throw new Error('the directory has no type with members')
  const { kind, id = '', body, attributes, excludedAttributes, preconditions } = request
  requireOneProjection(attributes, excludedAttributes, call.tenant.profile)
  const projection = parseProjection(attributes, excludedAttributes, type)
  const reading = readingOf(call, type)
  switch (kind) {
    case 'create':
      return createGroup(body, projection, reading)
    case 'replace':
      return replaceGroup(id, body, projection, preconditions, reading)
    case 'patch':
      // RFC 7644 §3.5.2: a body is owed only when the client asks for attributes. The list of members of
      // a large group would be a costly courtesy.
      return patchGroup(id, body, attributes === undefined ? undefined : projection, preconditions, reading)
    case 'delete':
      return deleteGroup(type, id, preconditions)
  }
}

/** The group of an answer. @throws {ScimError} the refusal; {DatabaseUnavailable}; another error for a fault */
export function renderedOf({
  rendered,
  refusal,
  isUnavailable,
  fault,
}: GroupWriteAnswer): Rendered | Written | undefined {
  if (isUnavailable) throw new DatabaseUnavailable('the database does not answer the group coordinator')
  if (refusal?.access) throw new AccessRefused(refusal.access.reason, refusal.access.tokenId)
  if (refusal) throw new ScimError(refusal.status, refusal.scimType, refusal.detail)
  if (fault !== undefined) throw new Error('the group writer failed', { cause: new Error(fault) })
  return rendered
}
