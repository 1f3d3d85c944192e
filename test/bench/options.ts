/** Options of the sections: numbers, hosts, and the machine that may be put under load. */

/** The hosts that run the server. */
export const HOSTS = ['workerd', 'Deno', 'Node.js', 'wrangler dev'] as const
export type HostName = (typeof HOSTS)[number]

/** @throws {Error} if there is no host with that name, in any case */
export function hostNamed(text: string): HostName {
  const name = HOSTS.find((host) => host.toLowerCase() === text.trim().toLowerCase())
  if (name === undefined) throw new Error(`a host must be one of ${HOSTS.join(', ')}, got "${text}"`)
  return name
}

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

/** @throws {Error} naming the option, the value and the allowed values */
export function wholeFrom(min: number, option: string, text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= min) return number
  throw new Error(`--${option} must be a whole number from ${min}, got "${text}"`)
}

/** @throws {Error} naming the option, the value and the allowed values */
export function positive(option: string, text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new Error(`--${option} must be a number above 0, got "${text}"`)
}

/**
 * A load on another machine must be confirmed by `--remote` and by the name of the host.
 * @throws {Error}
 */
export function requireLocal(tenantUrl: string, remote: boolean, confirmedHost: string | undefined): void {
  const { hostname } = new URL(tenantUrl)
  if (LOCAL_HOSTS.has(hostname) || (remote && confirmedHost === hostname)) return
  throw new Error(
    `"${hostname}" is not this machine; nothing was sent. If it may be put under load: --remote --confirm-host ${hostname}`,
  )
}
