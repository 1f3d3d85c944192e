/** The metadata of the authorization server (RFC 8414). */
import { describe, expect, it } from 'vitest'
import { ORIGIN, send, TENANT_URL } from '../../support/harness.ts'
import { formOf, newOauthClient, requestToken } from '../../support/oauth.ts'

const METADATA_URL = `${ORIGIN}/.well-known/oauth-authorization-server`

describe('the metadata', () => {
  it('names the token endpoint and what it supports (§2)', async () => {
    const answer = await send(new Request(METADATA_URL))
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, 'application/json'])
    expect(answer.body).toMatchObject({
      // §3.3: it must be identical to the address without the well-known part.
      issuer: ORIGIN,
      token_endpoint: `${ORIGIN}/oauth/token`,
      scopes_supported: ['scim', 'scim:read'],
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
    })
    const methods = answer.body.token_endpoint_auth_methods_supported
    expect(methods).toEqual(['client_secret_basic', 'client_secret_post', 'private_key_jwt'])
    // Required with private_key_jwt; "none" must not be in it.
    expect(answer.body.token_endpoint_auth_signing_alg_values_supported).toEqual(['RS256', 'ES256'])
  })

  it('is where the service provider configuration points, and names an endpoint that works', async () => {
    const config = await send(new Request(`${TENANT_URL}/ServiceProviderConfig`))
    const { documentationUri } = config.body.authenticationSchemes.find(
      ({ type }: { type: string }) => type === 'oauth2',
    )
    const { body } = await send(new Request(documentationUri))
    const { status } = await requestToken(formOf(await newOauthClient()), {}, 'POST', body.token_endpoint)
    expect(status).toBe(200)
  })
})
