/**
 * The headers of a delivery: Standard Webhooks 1.0.0 with symmetric signatures (`v1`). Asymmetric ones (`v1a`) are left
 * out: receivers of one directory have a secret of their own, and the usual libraries verify `v1`.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { toBase64 } from '../../storage/access/secrets.ts'

const PREFIX = 'whsec_'
const encoder = new TextEncoder()

export interface SignedMessage {
  /** The same for each attempt. */
  readonly id: string
  /** The time of the attempt, in milliseconds since 1970. */
  readonly now: number
  readonly body: string
  /** `whsec_…`: each makes a signature, so that a receiver may still have the old one during a rotation. */
  readonly secrets: readonly string[]
}

/** The headers of a delivery: its id, its time, and a signature for each secret (Standard Webhooks). */
export async function webhookHeaders({
  id,
  now,
  body,
  secrets,
}: SignedMessage): Promise<Readonly<Record<string, string>>> {
  const timestamp = String(Math.floor(now / 1000))
  const signed = encoder.encode(`${id}.${timestamp}.${body}`)
  const signatures = await Promise.all(secrets.map((secret) => signature(secret, signed)))
  return {
    'Content-Type': 'application/json',
    'User-Agent': 'scim-worker',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}

async function signature(secret: string, signed: Uint8Array): Promise<string> {
  const bytes = Uint8Array.from(atob(secret.slice(PREFIX.length)), (character) => character.charCodeAt(0))
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return `v1,${toBase64(new Uint8Array(await crypto.subtle.sign('HMAC', key, new Uint8Array(signed))))}`
}
