/**
 * Which URLs of JWK Sets the server may fetch. Administrators choose the URL, so without a list they could send requests
 * into the network of the server.
 */

/**
 * The sign-in hosts of Microsoft Entra ID: the global service, US Government, and China operated by 21Vianet.
 *
 * @see https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud
 */
const ENTRA_HOSTS = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
] as const

/** Only a process of the same machine can answer there, so a missing TLS gives nothing away. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** All allowed hosts. @param added the setting FEDERATION_HOSTS */
export function allowedHosts(added: readonly string[]): readonly string[] {
  return [...ENTRA_HOSTS, ...added]
}

/**
 * True for `https` and an allowed host, and for `http` if an added host is a loopback address. A port is part of the host,
 * unless it is the default one.
 */
export function isAllowedJwksUri(text: string, added: readonly string[]): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // Text that the parser would change is refused, so that the stored URL is the one that is requested.
  if (url === undefined || url.href !== text || url.username !== '' || url.hash !== '') return false
  if (url.protocol === 'http:') return LOOPBACK.test(url.hostname) && added.includes(url.host)
  return url.protocol === 'https:' && allowedHosts(added).includes(url.host)
}
