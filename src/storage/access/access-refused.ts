/**
 * Why a token does not let its bearer in: one answer outside, a tagged reason inside.
 */
import { ScimError } from '../../scim/error.ts'

export type AccessRefusal =
  /** Not of our form, though it may name a tenant: cut off, say. */
  | 'malformed'
  /** Of our form, and not one of the tenant that it names. */
  | 'unknown'
  | 'revoked'
  | 'expired'
  /** Valid, and may only read. */
  | 'wrong scope'

/** 401, or 403 for the wrong scope. The reason is for the logs: whoever guesses is not told how close a guess was. */
export class AccessRefused extends ScimError {
  readonly reason: AccessRefusal
  /** The token, where the tenant has it. */
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
