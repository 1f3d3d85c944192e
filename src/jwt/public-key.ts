/**
 * The public keys of a JWK Set (RFC 7517) that can verify a signature here. The type of a key determines its algorithm, so
 * the header of a token cannot choose another one (RFC 8725 §3.1).
 */
import type { JWK as JsonWebKey } from 'jose'
import * as v from 'valibot'

export const ALGORITHMS = ['RS256', 'ES256'] as const

export type Algorithm = (typeof ALGORITHMS)[number]

/** The public members of a JWK. */
export interface PublicKey {
  readonly kid: string
  readonly alg: Algorithm
  readonly jwk: JsonWebKey
}

/** Microsoft Entra ID has fewer than ten keys at a time. */
const MAX_KEYS = 100
const MAX_KID_CHARACTERS = 256
/** The base64url characters of a modulus of 2,048 bits, the least that RFC 7518 §3.3 allows, and of 4,096 bits. */
const MODULUS_CHARACTERS = { min: 342, max: 683 } as const
/**
 * 64 bits, what OpenSSL allows with more than 3,072 bits of modulus. Issuers use 65537. With an exponent as long as the modulus,
 * a verification takes as long as a signature: 7 ms.
 */
const MAX_EXPONENT_CHARACTERS = 11
/** A coordinate of P-256 has 32 bytes (RFC 7518 §6.2.1.2). */
const MAX_COORDINATE_CHARACTERS = 43

const TEXT = v.pipe(v.string(), v.nonEmpty())
const KEY = {
  kid: v.pipe(TEXT, v.maxLength(MAX_KID_CHARACTERS)),
  use: v.exactOptional(v.literal('sig')),
  key_ops: v.exactOptional(v.pipe(v.array(v.string()), v.includes('verify'))),
  // Whoever publishes a private key has lost it.
  d: v.exactOptional(v.never()),
}
const JWK = v.variant('kty', [
  v.object({
    ...KEY,
    kty: v.literal('RSA'),
    alg: v.exactOptional(v.literal('RS256')),
    n: v.pipe(TEXT, v.minLength(MODULUS_CHARACTERS.min), v.maxLength(MODULUS_CHARACTERS.max)),
    e: v.pipe(TEXT, v.maxLength(MAX_EXPONENT_CHARACTERS)),
  }),
  v.object({
    ...KEY,
    kty: v.literal('EC'),
    alg: v.exactOptional(v.literal('ES256')),
    crv: v.literal('P-256'),
    x: v.pipe(TEXT, v.maxLength(MAX_COORDINATE_CHARACTERS)),
    y: v.pipe(TEXT, v.maxLength(MAX_COORDINATE_CHARACTERS)),
  }),
])
const JWK_SET = v.object({ keys: v.pipe(v.array(v.unknown()), v.maxLength(MAX_KEYS)) })

/**
 * The usable keys of a JWK Set. Keys of other types and for other purposes are ignored (RFC 7517 §5), and so are keys
 * without a `kid`, because a token names its key.
 *
 * @returns undefined if the value is not a JWK Set
 */
export function publicKeysOf(value: unknown): readonly PublicKey[] | undefined {
  const set = v.safeParse(JWK_SET, value)
  if (!set.success) return undefined
  return set.output.keys.flatMap((key) => {
    const { success, output } = v.safeParse(JWK, key)
    return success ? { kid: output.kid, alg: output.kty === 'RSA' ? 'RS256' : 'ES256', jwk: output } : []
  })
}
