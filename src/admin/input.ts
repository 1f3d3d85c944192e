/**
 * What an administrator sends, checked. Each function throws an AdminError that names the field.
 */
import { isComplex } from '../scim/comparison.ts'
import { DEFAULT_GROUP_LIMIT } from '../storage/tenants.ts'
import type { TokenScope } from '../storage/tokens.ts'
import { AdminError, invalidField } from './errors.ts'

const MAX_NAME_LENGTH = 100
const MAX_GROUP_LIMIT = 1_000_000
const TENANT_ID = /^[a-z][a-z0-9-]{0,39}$/

export type Input = Readonly<Record<string, unknown>>

export function requireObject(body: unknown): Input {
  if (!isComplex(body)) throw new AdminError(400, 'invalid', 'the body must be a JSON object')
  return body
}

export function tenantId({ id }: Input): string {
  if (typeof id === 'string' && TENANT_ID.test(id)) return id
  throw invalidField('id', '1 to 40 of a-z, 0-9 and "-", beginning with a letter', id)
}

export function name(input: Input): string {
  const { name: found } = input
  const trimmed = typeof found === 'string' ? found.trim() : ''
  if (trimmed !== '' && trimmed.length <= MAX_NAME_LENGTH && trimmed.isWellFormed()) return trimmed
  throw invalidField('name', `a text of 1 to ${MAX_NAME_LENGTH} characters`, found)
}

export function groupLimit({ groupLimit: limit = DEFAULT_GROUP_LIMIT }: Input): number {
  if (typeof limit === 'number' && Number.isInteger(limit) && limit >= 0 && limit <= MAX_GROUP_LIMIT)
    return limit
  throw invalidField('groupLimit', `a whole number from 0 to ${MAX_GROUP_LIMIT}`, limit)
}

export function uniqueGroupNames({ uniqueGroupNames: isUnique = true }: Input): boolean {
  if (typeof isUnique === 'boolean') return isUnique
  throw invalidField('uniqueGroupNames', 'true or false', isUnique)
}

export function tokenScope({ scope = 'provision' }: Input): TokenScope {
  if (scope === 'provision' || scope === 'read') return scope
  throw invalidField('scope', '"provision" or "read"', scope)
}

/** @returns milliseconds since 1970, or null for a token that does not expire */
export function expiresAt({ expiresAt: found = null }: Input, now: number): number | null {
  if (found === null) return null
  const time = typeof found === 'string' ? Date.parse(found) : Number.NaN
  if (Number.isNaN(time))
    throw invalidField('expiresAt', 'a time such as "2027-01-31T00:00:00Z", or null', found)
  if (time <= now) throw invalidField('expiresAt', 'in the future', found)
  return time
}
