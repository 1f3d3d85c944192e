/**
 * Opens the access to a target for the duration of a command: its token source, and the embedded issuer if the
 * assertion comes from one.
 */
import { DEFAULT_IDENTITY } from '../issuer/identity.ts'
import { accessTokens } from '../oauth/access-tokens.ts'
import type { Grant } from '../oauth/grant.ts'
import type { Fetch } from '../protocol/fetch.ts'
import { secretToken, type TokenSource } from '../protocol/token-source.ts'
import type { Authentication } from './authentication.ts'
import { DEFAULT_ISSUER_PORT, DEFAULT_KEY_FILE, startIssuer } from './issuer-server.ts'
import { integerOption, type OptionValues, textOption } from './options.ts'
import { systemClock } from './system-clock.ts'
import { describeTrust } from './trust.ts'
import { wireFetch } from './wire-fetch.ts'

export interface Access {
  readonly fetch: Fetch
  readonly tokens: TokenSource
  /** Absent with a Secret Token. */
  readonly grant?: Grant
}

/**
 * Runs `work`, which returns an exit code, with the access to a target. If there is an embedded issuer and no access
 * token, `print` receives the trust that the target needs.
 * @throws {UsageError} if an embedded issuer cannot start
 */
export async function withAccess(
  authentication: Authentication,
  values: OptionValues,
  print: (text: string) => void,
  work: (access: Access) => Promise<number>,
): Promise<number> {
  const fetch = wireFetch()
  if (authentication.kind === 'bearer') return work({ fetch, tokens: secretToken(authentication.token) })
  let hasToken = false
  const withGrant = (grant: Grant) => {
    const tokens = accessTokens(grant, { fetch, clock: systemClock })
    const token = async (signal?: AbortSignal) => {
      const outcome = await tokens.token(signal)
      hasToken = outcome.ok
      return outcome
    }
    return work({ fetch, grant, tokens: { token, reject: (rejected) => tokens.reject(rejected) } })
  }
  if (authentication.kind === 'client-credentials') return withGrant(authentication)
  const { workload } = authentication
  const { issuer } = workload
  if (issuer !== undefined) return withGrant({ ...authentication, workload: { ...workload, issuer } })
  const identity = { ...DEFAULT_IDENTITY, applicationId: workload.applicationId }
  const server = await startIssuer({
    ...issuerOptions(values),
    identity,
    faults: new Set(),
    clock: systemClock,
  })
  try {
    const embedded = { ...workload, issuer: server.issuer.addresses.issuer }
    const exitCode = await withGrant({ ...authentication, workload: embedded })
    if (exitCode !== 0 && !hasToken) print(`\n${describeTrust(server.origin, identity)}`)
    return exitCode
  } finally {
    await server.close()
  }
}

/** @throws {UsageError} */
export function issuerOptions(values: OptionValues): { readonly port: number; readonly keyFile: string } {
  return {
    port: integerOption(values, 'issuer-port', 0, 65_535) ?? DEFAULT_ISSUER_PORT,
    keyFile: textOption(values, 'issuer-keys') ?? DEFAULT_KEY_FILE,
  }
}
