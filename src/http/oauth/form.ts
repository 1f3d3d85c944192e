/**
 * The parameters of a request to the token endpoint (RFC 6749 §3.2, appendix B).
 */
import type { Context } from 'hono'
import { readText } from '../../edge/body.ts'
import { clientNetwork } from '../../edge/network.ts'
import type { HttpEnv } from '../../runtime.ts'
import { MAX_TOKEN_REQUEST_BYTES } from '../../scim/limits.ts'
import { invalidRequest } from './errors.ts'

/** The parameters that this server knows. It ignores all others, as §3.2 requires. */
const PARAMETERS = [
  'grant_type',
  'scope',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
] as const

/** A parameter without a value counts as missing (§3.2). */
export type TokenForm = Readonly<Partial<Record<(typeof PARAMETERS)[number], string>>>

/** @throws {OauthError} 400 for another media type, invalid encoding or a repeated parameter; {ScimError} from `readText` */
export async function readTokenForm(c: Context<HttpEnv>): Promise<TokenForm> {
  if (!/^application\/x-www-form-urlencoded *(?:;|$)/i.test(c.req.header('Content-Type') ?? '')) {
    throw invalidRequest('the body must be a form: Content-Type application/x-www-form-urlencoded')
  }
  const text = await readText(c, MAX_TOKEN_REQUEST_BYTES, clientNetwork(c))
  if (!isEncoded(text)) throw invalidRequest('the body must be UTF-8 with percent-encoding')
  const sent = new URLSearchParams(text)
  const repeated = PARAMETERS.find((name) => sent.getAll(name).length > 1)
  if (repeated !== undefined) throw invalidRequest(`${repeated} must not be repeated`)
  const given = PARAMETERS.map((name) => [name, sent.get(name) ?? ''] as const)
  return Object.fromEntries(given.filter(([, value]) => value !== ''))
}

/** Decodes a text in application/x-www-form-urlencoded. @returns undefined if it is not */
export function decoded(text: string): string | undefined {
  return isEncoded(text) ? decodeURIComponent(text.replaceAll('+', ' ')) : undefined
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
