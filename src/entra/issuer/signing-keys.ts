/** The signing keys of the emulated issuer, as JSON Web Keys (RFC 7517) for RS256. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'

/** A private key with its `kid`. */
export type SigningKey = JWK & { readonly kid: string }

export async function newSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kid: await calculateJwkThumbprint(jwk) }
}

/** The published part of a key. Like Entra's, it has no `alg`. */
export function publicKey({ kid, kty, n, e }: SigningKey): JWK {
  return {
    ...(kty === undefined ? {} : { kty }),
    use: 'sig',
    kid,
    ...(n === undefined ? {} : { n }),
    ...(e === undefined ? {} : { e }),
  }
}

/** Narrows the content of a key file. */
export function isSigningKey(value: unknown): value is SigningKey {
  if (typeof value !== 'object' || value === null) return false
  const fields = new Map(Object.entries(value))
  return ['kid', 'n', 'e', 'd'].every((name) => typeof fields.get(name) === 'string')
}
