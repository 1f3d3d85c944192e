/**
 * An issuer of assertions, such as Microsoft Entra ID: keys, a JWK Set behind `fetch`, and tokens.
 */
import {
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'

type Alg = 'RS256' | 'ES256'

interface SigningKey {
  readonly kid: string
  readonly alg: Alg
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

/** Answers a request for a JWK Set. */
type Answer = (url: string, init: RequestInit | undefined) => Response | Promise<Response>

export class Issuer {
  /** A tenant id of Entra. Every issuer has its own, because keys are cached by URL. */
  readonly tid: string = crypto.randomUUID()
  readonly issuer: string
  readonly jwksUri: string
  /** The keys in the JWK Set. */
  keys: readonly SigningKey[] = []
  /** The URLs that were requested, also of other hosts. */
  readonly requested: string[] = []
  /** The answer instead of the JWK Set; undefined: the set. */
  answer: Answer | undefined

  private constructor(origin: string) {
    this.issuer = `${origin}/${this.tid}/v2.0`
    this.jwksUri = `${origin}/${this.tid}/discovery/v2.0/keys`
  }

  static async create({
    host = 'login.microsoftonline.com',
    origin = `https://${host}`,
    alg = 'RS256',
  }: {
    readonly host?: string
    readonly origin?: string
    readonly alg?: Alg
  } = {}): Promise<Issuer> {
    const issuer = new Issuer(origin)
    await issuer.rotate('one', alg)
    return issuer
  }

  /** Replaces the keys by another one. */
  async rotate(kid: string, alg: Alg = 'RS256'): Promise<void> {
    this.keys = [await keyOf(kid, alg)]
  }

  /** The network, as far as the server may reach it. */
  readonly fetch = (async (input: RequestInfo | URL, init?: RequestInit) => {
    const url = String(input instanceof Request ? input.url : input)
    this.requested.push(url)
    if (this.answer !== undefined) return await this.answer(url, init)
    if (url !== this.jwksUri) return new Response('not found', { status: 404 })
    return Response.json({ keys: this.keys.map(({ jwk }) => jwk) })
  }) as typeof fetch

  /**
   * A token with the claims of Entra's version 2.0.
   *
   * @param claims replace these; undefined: without the claim
   * @param now milliseconds since 1970
   */
  async token(
    claims: JWTPayload = {},
    header: Partial<JWTHeaderParameters> = {},
    now = Date.now(),
  ): Promise<string> {
    const [key] = this.keys
    if (key === undefined) throw new Error('the issuer has no key')
    const seconds = Math.floor(now / 1000)
    return await new SignJWT({ ...this.claims(seconds), ...claims })
      .setProtectedHeader({ typ: 'JWT', alg: key.alg, kid: key.kid, ...header })
      .sign(key.privateKey)
  }

  /** The claims that Entra sends. @param seconds since 1970 */
  claims(seconds: number) {
    const subject = '5bd2b0f9-8d2f-4a5f-b7a5-0d8f2b1c9e10'
    return {
      aud: 'b5ba7a93-4452-4522-aeb4-a2b5da870c16',
      iss: this.issuer,
      iat: seconds - 300,
      nbf: seconds - 300,
      exp: seconds + 3600,
      azp: 'b5ba7a93-4452-4522-aeb4-a2b5da870c16',
      azpacr: '2',
      oid: subject,
      sub: subject,
      tid: this.tid,
      ver: '2.0',
    }
  }
}

/** Keys by algorithm and id. Issuers share them, because generating one takes a tenth of a second. */
const keys = new Map<string, Promise<SigningKey>>()

function keyOf(kid: string, alg: Alg): Promise<SigningKey> {
  const known = keys.get(`${alg} ${kid}`) ?? newKey(kid, alg)
  keys.set(`${alg} ${kid}`, known)
  return known
}

async function newKey(kid: string, alg: Alg): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg)
  // Entra's keys have no "alg".
  const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig' }
  return { kid, alg, privateKey, jwk }
}
