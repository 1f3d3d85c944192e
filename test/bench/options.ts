/** What is given to a section: numbers, what the server runs on, and a machine that may be put under load. */

/** What the server runs on. */
export const HOSTS = ['workerd', 'Deno', 'Node.js', 'wrangler dev'] as const
export type HostName = (typeof HOSTS)[number]

/** @throws {Error} when there is none of that name, in whatever case */
export function hostNamed(text: string): HostName {
  const name = HOSTS.find((host) => host.toLowerCase() === text.trim().toLowerCase())
  if (name === undefined) throw new Error(`a host must be one of ${HOSTS.join(', ')}, got "${text}"`)
  return name
}

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

/** @throws {Error} naming the option, what was found and what is allowed */
export function wholeFrom(min: number, option: string, text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= min) return number
  throw new Error(`--${option} must be a whole number from ${min}, got "${text}"`)
}

/** @throws {Error} naming the option, what was found and what is allowed */
export function positive(option: string, text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new Error(`--${option} must be a number above 0, got "${text}"`)
}

/**
 * A load on somebody else's machine has to be asked for twice: by `--remote`, and by the name of the host.
 * @throws {Error}
 */
export function requireLocal(tenantUrl: string, remote: boolean, confirmedHost: string | undefined): void {
  const { hostname } = new URL(tenantUrl)
  if (LOCAL_HOSTS.has(hostname) || (remote && confirmedHost === hostname)) return
  throw new Error(
    `"${hostname}" is not this machine; nothing was sent. If it may be put under load: --remote --confirm-host ${hostname}`,
  )
}
