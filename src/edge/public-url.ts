/**
 * The setting PUBLIC_URL: the origin that clients use, whatever "Host" says.
 */
import { isHost } from './address.ts'

/**
 * The origin of PUBLIC_URL, such as `https://scim.quillfern.example`. The path of the Tenant URL is always /scim/v2.
 *
 * @throws {Error} naming the variable, what was found and what is allowed
 */
export function parsePublicUrl(text: string): string {
  const [, authority] = /^https?:\/\/([^/?#@\\\s]+)\/?$/i.exec(text) ?? []
  if (authority !== undefined && isHost(authority)) return new URL(text).origin
  throw new Error(
    `PUBLIC_URL must be a scheme and a host such as "https://scim.example.com", without a path, found "${text}"`,
  )
}
