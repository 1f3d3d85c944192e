/**
 * Sign-out at the provider, whose session outlives that of the dashboard (OpenID Connect RP-Initiated Logout 1.0). The request
 * has "client_id" and no "id_token_hint": this server keeps no ID token, so the provider may ask whom to sign out.
 */

import { publicOrigin } from '../../edge/url.ts'
import type { OidcSettings } from '../../runtime.ts'
import type { AdminContext } from '../env.ts'
import { SIGN_IN_PATH } from '../session.ts'
import { endpointOf, openProvider } from './provider.ts'

/**
 * The address of the provider at which the browser is signed out, and sent back to the sign-in page.
 *
 * @returns undefined if the provider has no such address
 * @throws {ProviderUnavailable} and the errors of oauth4webapi
 */
export async function signOutAddress(c: AdminContext, oidc: OidcSettings): Promise<string | undefined> {
  const { metadata } = await openProvider(oidc, c.env)
  if (metadata.end_session_endpoint === undefined) return undefined
  const url = endpointOf(oidc, metadata, 'end_session_endpoint')
  url.searchParams.set('client_id', oidc.clientId)
  url.searchParams.set('post_logout_redirect_uri', publicOrigin(c) + SIGN_IN_PATH)
  return url.href
}
