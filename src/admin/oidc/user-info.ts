/**
 * The UserInfo endpoint of the provider (OpenID Connect Core 1.0 §5.3), for claims that the ID token does not have. The answer
 * is bounded in time and size like every answer of the provider: see provider.ts.
 */
import {
  processUserInfoResponse,
  type UserInfoResponse,
  userInfoRequest,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi'
import { type Provider, ProviderUnavailable } from './provider.ts'

/**
 * @param subject the "sub" of the ID token. §5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match
 *   the sub Claim in the ID Token; if they do not match, the UserInfo Response values MUST NOT be used."
 * @returns no claims if the provider has no such endpoint
 * @throws {ProviderUnavailable} and the errors of oauth4webapi
 */
export async function claimsOfUserInfo(
  { metadata, client, options }: Provider,
  accessToken: string,
  subject: string,
): Promise<Partial<UserInfoResponse>> {
  if (metadata.userinfo_endpoint === undefined) return {}
  try {
    const response = await userInfoRequest(metadata, client, accessToken, options)
    return await processUserInfoResponse(metadata, client, subject, response)
  } catch (cause) {
    if (!(cause instanceof WWWAuthenticateChallengeError)) throw cause
    throw new ProviderUnavailable('its UserInfo endpoint refused the access token', { cause })
  }
}
