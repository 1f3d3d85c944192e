/**
 * Opens the access to a target for the duration of a command: its token source, and the embedded issuer if the
 * assertion comes from one.
 */
import type { Fault } from '../issuer/faults.ts'
import { DEFAULT_IDENTITY } from '../issuer/identity.ts'
import { accessTokens } from '../oauth/access-tokens.ts'
import type { Grant } from '../oauth/grant.ts'
import type { Fetch } from '../protocol/fetch.ts'
import { secretToken, type TokenSource } from '../protocol/token-source.ts'
import type { Authentication, EmbeddableGrant } from './authentication.ts'
import { readText } from './files/documents.ts'
import { DEFAULT_ISSUER_PORT, DEFAULT_KEY_FILE, startIssuer } from './issuer-server.ts'
import { integerOption, type OptionValues, textOption } from './options.ts'
import { systemClock } from './system-clock.ts'
import { describeTrust } from './trust.ts'
import { type WireOptions, wireFetch } from './wire-fetch.ts'

export interface Access {
  readonly fetch: Fetch
  readonly tokens: TokenSource
  /** Absent with a Secret Token. */
  readonly grant?: Grant
}

/** What a command does with the access; returns its exit code. */
type Work = (access: Access) => Promise<number>

/**
 * Runs `work` with the access to a target. If there is an embedded issuer and no access token, `print` receives the
 * trust that the target needs.
 * @throws {UsageError} if an embedded issuer cannot start
 */
export async function withAccess(
  authentication: Authentication,
  values: OptionValues,
  print: (text: string) => void,
  work: Work,
): Promise<number> {
  const fetch = wireFetch(wireOptions(values))
  if (authentication.kind === 'bearer') return work({ fetch, tokens: secretToken(authentication.token) })
  if (authentication.kind === 'client-credentials') return work(grantedAccess(authentication, fetch))
  const { issuer } = authentication.workload
  if (issuer === undefined) return withEmbeddedIssuer(authentication, values, print, work)
  const workload = { ...authentication.workload, issuer }
  return work(grantedAccess({ ...authentication, workload }, fetch))
}

/** @throws {UsageError} if the file of --ca cannot be read */
function wireOptions(values: OptionValues): WireOptions {
  const file = textOption(values, 'ca')
  return file === undefined ? {} : { ca: readText(file, 'certificate of --ca') }
}

function grantedAccess(grant: Grant, fetch: Fetch): Access {
  return { fetch, grant, tokens: accessTokens(grant, { fetch, clock: systemClock }) }
}

async function withEmbeddedIssuer(
  grant: EmbeddableGrant,
  values: OptionValues,
  print: (text: string) => void,
  work: Work,
): Promise<number> {
  const identity = { ...DEFAULT_IDENTITY, applicationId: grant.workload.applicationId }
  const options = { ...issuerOptions(values), identity, faults: new Set<Fault>(), clock: systemClock }
  const server = await startIssuer(options)
  try {
    const { issuer } = server.issuer.addresses
    const workload = { ...grant.workload, issuer }
    const access = grantedAccess({ ...grant, workload }, wireFetch(wireOptions(values)))
    let hasToken = false
    const token: TokenSource['token'] = async (signal) => {
      const outcome = await access.tokens.token(signal)
      hasToken = outcome.ok
      return outcome
    }
    const reject: TokenSource['reject'] = (rejected) => access.tokens.reject(rejected)
    const exitCode = await work({ ...access, tokens: { token, reject } })
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
