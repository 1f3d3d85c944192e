/**
 * Generates and revokes named tokens of administrators, for the admin API and the dashboard.
 */
import type * as v from 'valibot'
import { quote } from '../../scim/error.ts'
import { MAX_ADMIN_TOKENS } from '../../scim/limits.ts'
import {
  type AdminToken,
  generateAdminToken,
  insertAdminToken,
  revokeAdminToken,
} from '../../storage/administrators/admin-tokens.ts'
import type { ADMIN_TOKEN_INPUT } from '../contract/administrators.ts'
import type { AdminContext } from '../env.ts'
import { AdminError, invalidField } from '../errors.ts'

export type AdminTokenInput = v.InferOutput<typeof ADMIN_TOKEN_INPUT>

/** A token that was generated, with its text, which is shown once. */
export type GeneratedAdminToken = Omit<AdminToken, 'lastUsedAt' | 'revokedAt'> & { readonly token: string }

/**
 * @param id of the new token
 * @returns undefined if a token with the id exists, because a form was sent twice
 * @throws {AdminError} 400 for a time in the past, 409 with too many tokens
 */
export async function generateAdminTokenOf(
  c: AdminContext,
  id: string,
  { name, role, tenants, expiresAt }: AdminTokenInput,
): Promise<GeneratedAdminToken | undefined> {
  const createdAt = c.env.now()
  if (expiresAt !== null && expiresAt <= createdAt) {
    throw invalidField('expiresAt', 'a time in the future', new Date(expiresAt).toISOString())
  }
  const createdBy = c.get('administrator').name
  const { token, hash, ...shown } = await generateAdminToken()
  const stored = { id, name, role, tenants, ...shown, createdBy, createdAt, expiresAt }
  const outcome = await insertAdminToken(c.get('db'), { ...stored, hash })
  if (outcome === 'full') {
    const problem = `there are ${MAX_ADMIN_TOKENS} named tokens of administrators, the most allowed; revoke one first`
    throw new AdminError(409, 'conflict', problem)
  }
  return outcome === 'stored' ? { ...stored, token } : undefined
}

/** @throws {AdminError} 404 */
export async function revokeAdminTokenOf(c: AdminContext, id: string): Promise<AdminToken> {
  const revoked = await revokeAdminToken(c.get('db'), id, c.env.now())
  if (revoked !== undefined) return revoked
  throw new AdminError(404, 'notFound', `there is no token of an administrator with the id ${quote(id)}`)
}
