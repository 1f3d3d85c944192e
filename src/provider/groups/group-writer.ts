/**
 * Group writes as messages: the request that the HTTP layer sends to the group writer of a tenant, and the answer. Both
 * are plain data, because the group writer may be in another process, such as a Durable Object.
 */

import { HeldError, ScimError, type ScimType, TakenError } from '../../scim/error.ts'
import type { Preconditions } from '../../scim/version.ts'
import { AccessRefused } from '../../storage/access/access-refused.ts'
import { type DatabaseFigures, DatabaseUnavailable } from '../../storage/database/database.ts'
import type { Actor } from '../../storage/tenants/context.ts'
import type { Rendered } from '../call.ts'
import { QueueOverflow } from './serial-queue.ts'

export type GroupWriteKind = 'create' | 'replace' | 'patch' | 'delete' | 'addMember' | 'removeMember'

/** One write of a group or of one membership, as a client sent it. */
export interface GroupWriteRequest<Kind extends GroupWriteKind = GroupWriteKind> {
  readonly kind: Kind
  /** The id of the group; not for `create`. */
  readonly id?: string | undefined
  /** For `addMember` and `removeMember`. */
  readonly memberId?: string | undefined
  /** Parsed JSON; for `create`, `replace` and `patch`. */
  readonly body?: unknown
  readonly attributes?: readonly string[] | undefined
  readonly excludedAttributes?: readonly string[] | undefined
  readonly preconditions: Preconditions
  /** The actor. The name is part of the message: during a deployment both sides may have different versions. */
  readonly credentials: Actor
  readonly tenantUrl: string
  readonly requestId: string
  /** Units of work that earlier operations of the same bulk request have spent. */
  readonly spent?: number | undefined
  /** Whether a deleted group is kept for a while; undefined from a Worker of an earlier version. */
  readonly keepsDeleted?: boolean | undefined
}

export interface GroupWriteAnswer {
  /** The cost of the write. */
  readonly figures: DatabaseFigures
  /** Units of work, including those spent before; undefined from a coordinator of an earlier version. */
  readonly spent?: number | undefined
  /** The group, or the new membership, after the write; undefined after `delete`. */
  readonly rendered?: Rendered | undefined
  /** The active webhooks of the tenant, after a write; undefined from a coordinator of an earlier version. */
  readonly webhooks?: readonly string[] | undefined
  /** Why the write was not done. */
  readonly refusal?:
    | {
        readonly status: number
        readonly scimType: ScimType | undefined
        readonly detail: string
        /** The value that another group has, if that is the reason. */
        readonly taken?: Pick<TakenError, 'attribute' | 'value'> | undefined
        /** Why the token was refused, if it was. */
        /** Whether the guard of the tenant holds the write. */
        readonly isHeld?: boolean | undefined
        readonly access?: Pick<AccessRefused, 'reason' | 'tokenId'> | undefined
      }
    | undefined
  /** The database did not answer: the client should retry. */
  readonly isUnavailable?: boolean | undefined
  /** An error of the writer itself, for the application log: a retry would not help. */
  readonly fault?: string | undefined
}

/** Runs the group writes of one tenant in the order of arrival, each as if it were the only one. */
export interface GroupWriter {
  write(request: GroupWriteRequest): Promise<GroupWriteAnswer>
}

/** An error as an answer: an exception would look like a writer that cannot be reached. `renderedOf` is the inverse. */
export function failedAnswer(error: unknown, figures: DatabaseFigures): GroupWriteAnswer {
  if (error instanceof ScimError) {
    const { status, scimType, detail } = error
    const access =
      error instanceof AccessRefused ? { reason: error.reason, tokenId: error.tokenId } : undefined
    const taken = error instanceof TakenError ? { attribute: error.attribute, value: error.value } : undefined
    const isHeld = error instanceof HeldError
    return { figures, refusal: { status, scimType, detail, access, taken, isHeld } }
  }
  if (error instanceof DatabaseUnavailable) return { figures, isUnavailable: true }
  if (error instanceof QueueOverflow) {
    const detail = `too many group writes at the same time: ${error.message}; try again`
    return { figures, refusal: { status: 429, scimType: undefined, detail } }
  }
  return { figures, fault: error instanceof Error ? error.message : String(error) }
}

/** The group of an answer. @throws {ScimError} the refusal; {DatabaseUnavailable}; {Error} a fault */
export function renderedOf(answer: GroupWriteAnswer): Rendered | undefined {
  const { rendered, refusal, isUnavailable, fault } = answer
  if (isUnavailable) throw new DatabaseUnavailable('the database does not answer the group coordinator')
  if (refusal?.access) throw new AccessRefused(refusal.access.reason, refusal.access.tokenId)
  if (refusal?.taken) throw new TakenError(refusal.taken.attribute, refusal.taken.value)
  if (refusal?.isHeld) throw new HeldError()
  if (refusal) throw new ScimError(refusal.status, refusal.scimType, refusal.detail)
  if (fault !== undefined) throw new Error('the group writer failed', { cause: new Error(fault) })
  return rendered
}
