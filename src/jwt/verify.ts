/**
 * Verifies JSON Web Tokens that another issuer signed (RFC 7519, RFC 8725). The cheap checks come first: a token with wrong
 * claims causes neither a request for keys nor the verification of a signature.
 *
 * Only RS256 and ES256 are accepted, each with keys of its own type. The header cannot name or carry a key: only `kid` is
 * read, which chooses one of the keys of the issuer.
 */
import { compactVerify, decodeJwt, decodeProtectedHeader, errors, type JWTPayload } from 'jose'
import { ALGORITHMS, type Algorithm, type PublicKey } from './public-key.ts'

/** Why a token is refused. For the logs only: the sender learns no more than that it is invalid. */
export type JwtRefusal =
  /** Not three parts of base64url with JSON objects in the first two, or too long. */
  | 'malformed'
  /** Another algorithm than RS256 and ES256, such as "none" or one with a shared secret. */
  | 'algorithm'
  /** The header has no `kid`, another `typ`, or parameters that name a key or must be understood. */
  | 'header'
  | 'issuer'
  | 'subject'
  | 'audience'
  /** `tid`, which only Microsoft Entra ID has. */
  | 'tenant'
  | 'authorized party'
  | 'expired'
  /** `nbf` or `iat` is in the future. */
  | 'not yet valid'
  /** `exp` is missing or too far in the future. */
  | 'lifetime'
  /** The issuer has no key with the `kid`, or its type is for another algorithm. */
  | 'unknown key'
  | 'signature'

export class JwtRefused extends Error {
  readonly reason: JwtRefusal

  constructor(reason: JwtRefusal, options?: ErrorOptions) {
    super(`the token is refused: ${reason}`, options)
    this.reason = reason
  }
}

/** What a token must claim. All texts are compared exactly. An undefined one is not compared. */
export interface Expected {
  readonly issuer: string
  /** The token must name one of them. */
  readonly audiences: readonly string[]
  readonly subject?: string | undefined
  /** The `tid` claim: the tenant of Microsoft Entra ID. */
  readonly tid?: string | undefined
  /** The `azp` claim, or `appid` in tokens of Microsoft's version 1.0: the application that requested the token. */
  readonly azp?: string | undefined
  /** How far in the future `exp` may be; undefined: any time. */
  readonly maxLifetimeSeconds?: number | undefined
}

export interface Verification {
  readonly expected: Expected
  /** Milliseconds since 1970. */
  readonly now: number
  /** The key of the issuer with an id; undefined if it has none. Called once at most, after all other checks. */
  readonly findKey: (kid: string, alg: Algorithm) => Promise<PublicKey | undefined>
}

/** `exp` is present. */
export type Claims = JWTPayload & { readonly exp: number }

/** Access tokens of Microsoft Entra ID have about 2,000 characters; each of up to 200 roles or groups adds about 50. */
const MAX_CHARACTERS = 16_384
/** The difference between two clocks. RFC 7519 §4.1.4 allows "no more than a few minutes". */
const SKEW_SECONDS = 60

/** Header parameters that would let the sender choose the key or the processing (RFC 7515 §4.1). */
const FORBIDDEN_PARAMETERS = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64']
/** In lower case, without "application/". A token of another type is meant for another use (RFC 8725 §3.11). */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'client-authentication+jwt'])

/**
 * @returns the claims
 * @throws {JwtRefused} and what `findKey` throws
 */
export async function verifyJwt(token: string, { expected, now, findKey }: Verification): Promise<Claims> {
  if (token.length > MAX_CHARACTERS) throw new JwtRefused('malformed')
  const { kid, alg } = headerOf(token)
  const claims = claimsOf(token)
  requireClaims(claims, expected)
  const checked = requireTimes(claims, expected, Math.floor(now / 1000))
  const key = await findKey(kid, alg)
  if (key?.alg !== alg) throw new JwtRefused('unknown key')
  try {
    await compactVerify(token, key.jwk, { algorithms: [alg] })
  } catch (cause) {
    throw new JwtRefused('signature', { cause })
  }
  return checked
}

function headerOf(token: string): { readonly kid: string; readonly alg: Algorithm } {
  const header = parsed(() => decodeProtectedHeader(token))
  const { alg, kid, typ } = header
  if (!isAlgorithm(alg)) throw new JwtRefused('algorithm')
  if (typeof kid !== 'string' || kid === '') throw new JwtRefused('header')
  if (FORBIDDEN_PARAMETERS.some((name) => Object.hasOwn(header, name))) throw new JwtRefused('header')
  if (typ !== undefined && !isAllowedType(typ)) throw new JwtRefused('header')
  return { kid, alg }
}

function isAllowedType(typ: unknown): boolean {
  return typeof typ === 'string' && TYPES.has(typ.toLowerCase().replace('application/', ''))
}

function isAlgorithm(alg: unknown): alg is Algorithm {
  return ALGORITHMS.some((one) => one === alg)
}

function claimsOf(token: string): JWTPayload {
  return parsed(() => decodeJwt(token))
}

/** jose throws JWTInvalid, or a TypeError for a header. */
function parsed<Result>(parse: () => Result): Result {
  try {
    return parse()
  } catch (cause) {
    if (cause instanceof errors.JOSEError || cause instanceof TypeError) {
      throw new JwtRefused('malformed', { cause })
    }
    throw cause
  }
}

function requireClaims(claims: JWTPayload, { issuer, audiences, subject, tid, azp }: Expected): void {
  const named: readonly unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  const found = { issuer: claims.iss, subject: claims.sub, tid: claims.tid, azp: claims.azp ?? claims.appid }
  const rows: readonly (readonly [JwtRefusal, unknown, string | undefined])[] = [
    ['issuer', found.issuer, issuer],
    ['subject', found.subject, subject],
    ['tenant', found.tid, tid],
    ['authorized party', found.azp, azp],
  ]
  for (const [reason, value, allowed] of rows) {
    if (allowed !== undefined && value !== allowed) throw new JwtRefused(reason)
  }
  if (!audiences.some((audience) => named.includes(audience))) throw new JwtRefused('audience')
}

/** @param now seconds since 1970 */
function requireTimes(claims: JWTPayload, { maxLifetimeSeconds = Infinity }: Expected, now: number): Claims {
  const { exp, nbf, iat } = claims as Readonly<Record<string, unknown>>
  if (typeof exp !== 'number' || exp > now + maxLifetimeSeconds + SKEW_SECONDS) {
    throw new JwtRefused('lifetime')
  }
  if (exp <= now - SKEW_SECONDS) throw new JwtRefused('expired')
  for (const time of [nbf, iat]) {
    if (time !== undefined && !(typeof time === 'number' && time <= now + SKEW_SECONDS)) {
      throw new JwtRefused('not yet valid')
    }
  }
  return { ...claims, exp }
}
