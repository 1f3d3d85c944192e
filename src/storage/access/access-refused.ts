/**
 * Why a token is refused: one answer for the client, a tagged reason for the logs.
 */
import { ScimError } from '../../scim/error.ts'

export type AccessRefusal =
  /** Not in the form of a token, such as one that was cut off. It may still name a tenant. */
  | 'malformed'
  /** In the form of a token, but not a token of the tenant that it names. */
  | 'unknown'
  | 'revoked'
  | 'expired'
  /** An access token that has expired. Its client asks for the next one. */
  | 'lapsed'
  /** Sent without the word "Bearer" to a tenant whose profile requires it. */
  | 'without scheme'
  /** Valid, but limited to reads. */
  | 'wrong scope'

/**
 * 401, or 403 for the wrong scope. The reason is for the logs only, so an attacker does not learn how close a guess
 * was.
 */
export class AccessRefused extends ScimError {
  readonly reason: AccessRefusal
  /** The id of the token, if the tenant has it. */
  readonly tokenId: string | undefined

  constructor(reason: AccessRefusal, tokenId?: string, options?: ErrorOptions) {
    super(
      reason === 'wrong scope' ? 403 : 401,
      undefined,
      reason === 'wrong scope'
        ? 'the token has the scope "read", and writing needs "provision"'
        : 'a valid token is needed: Authorization: Bearer <token>',
      options,
    )
    this.reason = reason
    this.tokenId = tokenId
  }
}
