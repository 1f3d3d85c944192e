/**
 * The scopes of OAuth (RFC 6749 §3.3), and the scope of a token.
 */
import type { TokenScope } from '../../storage/access/tokens.ts'
import { OauthError, quoted } from './errors.ts'

/** "scim": all that the client may do. "scim:read": reads only. */
export const SCOPES = ['scim', 'scim:read'] as const

/**
 * Whether a client asks for reads only. Without a scope, or with both, it asks for all that it may do.
 *
 * @throws {OauthError} invalid_scope for an unknown one
 */
export function isReadOnly(scope: string | undefined): boolean {
  const asked = (scope ?? '').split(' ').filter((name) => name !== '')
  const unknown = asked.find((name) => !SCOPES.some((known) => known === name))
  if (unknown !== undefined) {
    const description = `scope ${quoted(unknown)} is unknown; there are ${SCOPES.map(quoted).join(' and ')}`
    throw new OauthError(400, 'invalid_scope', description)
  }
  return asked.length > 0 && !asked.includes('scim')
}

/** The scope that a token has, as a scope of OAuth. */
export function oauthScope(scope: TokenScope): (typeof SCOPES)[number] {
  return scope === 'read' ? 'scim:read' : 'scim'
}
