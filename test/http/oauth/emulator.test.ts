/**
 * Entra's emulator against this worker with OAuth 2.0: both flows of Microsoft's validator, cycles with access tokens, and
 * credentials that end in the middle of a cycle.
 */
import { exports } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { checkTokenEndpoint } from '../../../src/entra/check/token-endpoint.ts'
import { MINUTE_MS } from '../../../src/entra/clock.ts'
import { type JobRun, runJob } from '../../../src/entra/engine/provisioning-job.ts'
import type { Fault } from '../../../src/entra/issuer/faults.ts'
import { DEFAULT_IDENTITY, federationTrust } from '../../../src/entra/issuer/identity.ts'
import { Issuer } from '../../../src/entra/issuer/issuer.ts'
import { newSigningKey } from '../../../src/entra/issuer/signing-keys.ts'
import { accessTokens } from '../../../src/entra/oauth/access-tokens.ts'
import type { ClientCredentialsGrant, FederatedGrant, Grant } from '../../../src/entra/oauth/grant.ts'
import type { Fetch } from '../../../src/entra/protocol/fetch.ts'
import { parseTenantUrl } from '../../../src/entra/protocol/tenant-url.ts'
import { JobHarness } from '../../entra/support/job-harness.ts'
import { type FederatedClient, newFederatedClient } from '../../support/federation.ts'
import { admin, TENANT_URL } from '../../support/harness.ts'
import { newOauthClient, newSecret, type OauthClient, TOKEN_URL } from '../../support/oauth.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const PEOPLE = Array.from({ length: 10 }, (_, index) => ({
  id: `p${index}`,
  userPrincipalName: `p${index}@quillfern.example`,
  displayName: `p${index}`,
  mailNickname: `p${index}`,
}))

function jobOf(grant: Grant, fetch: Fetch): JobHarness {
  const directory = { users: structuredClone(PEOPLE), groups: [] }
  return new JobHarness(directory, { concurrency: 2 }, (clock) => ({
    ...{ tenantUrl: TENANT_URL, fetch, tokens: accessTokens(grant, { fetch, clock }) },
  }))
}

function run(job: JobHarness): Promise<JobRun> {
  return runJob(job.context(), { notify: async () => undefined, ignoreWait: true })
}

const linked = (job: JobHarness) =>
  Object.values(job.state.objects).filter(({ link }) => link !== undefined).length

const REFUSED = {
  kind: 'quarantined',
  quarantine: {
    reason: 'EncounteredQuarantineException',
    error: expect.stringMatching(/CredentialValidationFailure: .*HTTP 401 invalid_client/),
  },
}

/** The grades of the steps of Microsoft's validator. */
async function validationOf(grant: Grant, fetch: Fetch): Promise<string[]> {
  const { clock } = jobOf(grant, fetch)
  const tenantUrl = parseTenantUrl(TENANT_URL)
  const grades: string[] = []
  for await (const { grade } of checkTokenEndpoint({ tenantUrl, grant, fetch, clock })) grades.push(grade)
  return grades
}

/** Calls `hook` before the request with this number. */
function before(count: number, hook: () => Promise<unknown>, fetch: Fetch): Fetch {
  let sent = 0
  return async (url, init) => {
    if (++sent === count) await hook()
    return fetch(url, init)
  }
}

describe('the emulator with a client secret', () => {
  const fetch: Fetch = async (url, init) => exports.default.fetch(new Request(url, init))

  function grantOf({ clientId, clientSecret }: Pick<OauthClient, 'clientId' | 'clientSecret'>) {
    const grant = { kind: 'client-credentials', tokenEndpoint: TOKEN_URL, clientId, clientSecret } as const
    return { ...grant, clientAuthentication: 'body' } satisfies ClientCredentialsGrant
  }

  it('passes Microsoft’s validation with the secret in the body and in the header', async () => {
    const grant = grantOf(await newOauthClient())
    expect(await validationOf(grant, fetch)).toEqual(['success', 'success'])
    const basic = { ...grant, clientAuthentication: 'basic', scope: 'scim' } as const
    expect(await validationOf(basic, fetch)).toEqual(['success', 'success'])
  })

  it('provisions, and ends a cycle in which the secret is revoked until there is a new one', async () => {
    const client = await newOauthClient()
    const { tenantId, clientId, id } = client
    const revoke = () => admin('DELETE', `/tenants/${tenantId}/clients/${clientId}/secrets/${id}`)
    const job = jobOf(grantOf(client), before(10, revoke, fetch))
    expect(await run(job)).toMatchObject(REFUSED)
    expect(linked(job)).toBeGreaterThan(0)
    expect(linked(job)).toBeLessThan(PEOPLE.length)
    const next = jobOf(grantOf(await newSecret(tenantId, clientId)), fetch)
    next.state = job.state
    expect(await run(next)).toMatchObject({ kind: 'ran', complete: true })
    expect(linked(next)).toBe(PEOPLE.length)
  })
})

describe('the emulator with federation', () => {
  const LOGIN = 'https://login.microsoftonline.com'

  /** A client that trusts an emulated issuer. */
  async function federated(faults: readonly Fault[] = []) {
    const identity = { ...DEFAULT_IDENTITY, tenantId: crypto.randomUUID() }
    const client = await newFederatedClient({ trust: federationTrust(LOGIN, identity) })
    const issuer = new Issuer({
      ...{ origin: LOGIN, identity, keys: [await newSigningKey()], faults: new Set(faults) },
      clock: { now: () => client.now, sleep: async () => undefined },
      newId: () => crypto.randomUUID(),
    })
    client.issuer.answer = (url) => issuer.fetch(new Request(url))
    const fetch: Fetch = async (url, init) => {
      const request = new Request(url, init)
      return url.startsWith(LOGIN) ? issuer.fetch(request) : respond(client, request)
    }
    const grant: FederatedGrant = {
      ...{ kind: 'federated', tokenEndpoint: TOKEN_URL, clientId: client.clientId, baseAddress: TENANT_URL },
      workload: { issuer: issuer.addresses.issuer, applicationId: identity.applicationId },
    }
    return { client, grant, fetch }
  }

  async function respond(client: FederatedClient, request: Request) {
    const { status, headers, body } = await client.send(request)
    return { status, headers, text: async () => (body === undefined ? '' : JSON.stringify(body)) }
  }

  it('passes Microsoft’s validation', async () => {
    const { grant, fetch } = await federated()
    expect(await validationOf(grant, fetch)).toEqual(['success', 'success', 'success'])
  })

  it('provisions, and renews its access token before it expires', async () => {
    const { client, grant, fetch } = await federated()
    let tokenRequests = 0
    const job = jobOf(grant, (url, init) => {
      if (url === TOKEN_URL) tokenRequests++
      return fetch(url, init)
    })
    const pass = async (ms: number) => {
      job.clock.advance(ms)
      client.now += ms
      expect(await run(job)).toMatchObject({ kind: 'ran', complete: true })
    }
    await pass(0)
    expect(linked(job)).toBe(PEOPLE.length)
    await pass(50 * MINUTE_MS)
    expect(tokenRequests).toBe(1)
    await pass(5 * MINUTE_MS)
    await pass(10 * MINUTE_MS)
    expect(tokenRequests).toBe(2)
  })

  it('ends a cycle in which the federation is removed', async () => {
    const { client, grant, fetch } = await federated()
    const job = jobOf(
      grant,
      before(12, () => client.admin('DELETE', `${client.path}/federation`), fetch),
    )
    expect(await run(job)).toMatchObject(REFUSED)
    expect(linked(job)).toBeLessThan(PEOPLE.length)
  })

  it.each<Fault>([
    'unpublished-key',
    'wrong-audience',
    'wrong-issuer',
    'wrong-subject',
    'wrong-tenant',
    'expired',
    'alg-none',
    'hs256',
  ])('goes into quarantine when the issuer has the fault %s', async (fault) => {
    const { grant, fetch } = await federated([fault])
    const job = jobOf(grant, fetch)
    expect(await run(job)).toMatchObject(REFUSED)
    expect(linked(job)).toBe(0)
  })

  it.each<Fault>(['jwks-outage', 'jwks-html', 'jwks-huge', 'jwks-redirect'])(
    'goes into quarantine when the issuer has the fault %s and its keys are not known',
    async (fault) => {
      vi.spyOn(console, 'error').mockImplementation(() => undefined)
      const { grant, fetch } = await federated([fault])
      const job = jobOf(grant, fetch)
      expect(await run(job)).toMatchObject({
        kind: 'quarantined',
        quarantine: {
          error: expect.stringMatching(/^InternalServerError: .*HTTP 503 temporarily_unavailable/),
        },
      })
    },
  )
})
