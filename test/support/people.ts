/** Administrators of tests: named tokens with a role, and requests with them. */
import type { Role } from '../../src/administrators/role.ts'
import { type Answer, admin, ORIGIN, send } from './harness.ts'

/** Generates a named token. @param tenants null: all */
export async function newAdminToken(
  role: Role,
  tenants: readonly string[] | null,
  more: { readonly name?: string; readonly expiresAt?: string | null } = {},
): Promise<{ readonly id: string; readonly token: string; readonly name: string }> {
  const { name = `${role} ${crypto.randomUUID()}`, expiresAt = null } = more
  const answer = await admin('POST', '/administrators/tokens', { name, role, tenants, expiresAt })
  if (answer.status !== 201) throw new Error(`no token: ${JSON.stringify(answer.body)}`)
  return { id: answer.body.id, token: answer.body.token, name }
}

/** A call of the admin API with a bearer token. */
export function adminAs(token: string, method: string, path: string, body?: unknown): Promise<Answer> {
  return send(
    new Request(`${ORIGIN}/admin/api${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }),
  )
}
