/** Microsoft's validation for the app gallery against this server: all 25 tests pass. */
import { expect, it } from 'vitest'
import { GALLERY_JOB } from '../../../src/entra/gallery/gallery-job.ts'
import { galleryVerdict, runGallerySuite } from '../../../src/entra/gallery/suite.ts'
import { DEFAULT_IDENTITY, federationTrust } from '../../../src/entra/issuer/identity.ts'
import { Issuer } from '../../../src/entra/issuer/issuer.ts'
import { newSigningKey } from '../../../src/entra/issuer/signing-keys.ts'
import { accessTokens } from '../../../src/entra/oauth/access-tokens.ts'
import type { ClientCredentialsGrant, FederatedGrant } from '../../../src/entra/oauth/grant.ts'
import type { Fetch } from '../../../src/entra/protocol/fetch.ts'
import type { Dialect } from '../../../src/entra/protocol/requests.ts'
import { parseTenantUrl } from '../../../src/entra/protocol/tenant-url.ts'
import { newFederatedClient } from '../../support/federation.ts'
import { Client, send, TENANT_URL } from '../../support/harness.ts'
import { newOauthClient, TOKEN_URL } from '../../support/oauth.ts'

const LOGIN = 'https://login.microsoftonline.com'

/** A tenant with a client that has a secret, and one that trusts an emulated issuer. */
async function tenantWithBothClients() {
  const identity = { ...DEFAULT_IDENTITY, tenantId: crypto.randomUUID() }
  const federated = await newFederatedClient({ trust: federationTrust(LOGIN, identity) })
  const { clientId, clientSecret } = await newOauthClient({ tenantId: federated.tenantId })
  const clock = { now: () => Date.now(), sleep: async () => undefined }
  const newId = () => crypto.randomUUID()
  const keys = [await newSigningKey()] as const
  const issuer = new Issuer({ origin: LOGIN, identity, keys, faults: new Set(), clock, newId })
  federated.issuer.answer = (url) => issuer.fetch(new Request(url))
  const fetch: Fetch = async (url, init) => {
    const request = new Request(url, init)
    if (url.startsWith(LOGIN)) return issuer.fetch(request)
    // Only this app knows the issuer; only the whole server can write groups.
    const isAssertion = init.body?.includes('client_assertion') === true
    const { status, headers, body } = await (isAssertion ? federated.send(request) : send(request))
    return { status, headers, text: async () => (body === undefined ? '' : JSON.stringify(body)) }
  }
  const credentials = {
    kind: 'client-credentials',
    tokenEndpoint: TOKEN_URL,
    clientId,
    clientSecret,
  } as const
  const clientCredentials: ClientCredentialsGrant = { ...credentials, clientAuthentication: 'body' }
  const federation: FederatedGrant = {
    ...{ kind: 'federated', tokenEndpoint: TOKEN_URL, clientId: federated.clientId, baseAddress: TENANT_URL },
    workload: { issuer: issuer.addresses.issuer, applicationId: identity.applicationId },
  }
  const tokens = accessTokens(clientCredentials, { fetch, clock })
  const { tenantId } = federated
  return {
    tenantId,
    tenantUrl: parseTenantUrl(TENANT_URL),
    tokens,
    clientCredentials,
    federation,
    fetch,
    clock,
    newId,
  }
}

it.for<Dialect>(['flag', 'old'])(
  'passes the 25 tests with PATCH requests of the dialect %s',
  async (dialect) => {
    const options = await tenantWithBothClients()
    const results = await runGallerySuite({ ...options, job: { ...GALLERY_JOB, dialect } })
    const shown = results.map(({ test, outcome, words, remark }) => ({
      name: test.name,
      outcome,
      words,
      remark,
    }))
    const good = { outcome: 'PASSED', words: expect.stringMatching(/^success/), remark: undefined }
    expect(shown).toEqual(shown.map(({ name }) => ({ ...good, name })))
    expect(shown).toHaveLength(25)
    expect(galleryVerdict(results)).toEqual({ overall: 'Succeeded', reasons: [] })
    const access = await options.tokens.token()
    if (!access.ok) throw new Error(access.detail)
    const { body } = await new Client(options.tenantId, access.token, send).get('/Users')
    expect(body.totalResults).toBe(0)
  },
)
