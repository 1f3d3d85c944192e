/**
 * The setting PUBLIC_URL: the origin that clients use, regardless of the "Host" header.
 */
import { isHost } from './address.ts'

/**
 * Parses PUBLIC_URL, such as `https://scim.quillfern.example`. The path of the Tenant URL is always /scim/v2.
 *
 * @returns the origin, or undefined if the text is not a scheme and a host
 */
export function parsePublicUrl(text: string): string | undefined {
  const [, authority] = /^https?:\/\/([^/?#@\\\s]+)\/?$/i.exec(text) ?? []
  return authority !== undefined && isHost(authority) ? new URL(text).origin : undefined
}
