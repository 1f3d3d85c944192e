/**
 * The steps with which Microsoft validates client credentials, in the order and form of its own workflow:
 * https://github.com/AzureAD/SCIMReferenceCode, Microsoft.SCIM.LogicAppValidationTemplate.
 */
import { describe, expect, it } from 'vitest'
import { Client } from '../../support/harness.ts'
import { newOauthClient, type OauthClient, requestToken } from '../../support/oauth.ts'

async function validate({ tenantId, clientId, clientSecret }: OauthClient, scope?: string) {
  const scopePart = scope === undefined ? '' : `&scope=${encodeURIComponent(scope)}`
  const form = `grant_type=client_credentials&client_id=${clientId}&client_secret=${clientSecret}${scopePart}`
  const token = await requestToken(form)
  // The workflow divides as integers and takes a missing value for 3,600.
  const minutes = Math.trunc((token.body.expires_in ?? 3600) / 60)
  const users = await new Client(tenantId, token.body.access_token).get('/Users?startIndex=1&count=1')
  return {
    isIssued: token.status >= 200 && token.status < 300 && token.body.access_token?.length > 0,
    isLifetimeAllowed: minutes >= 60 && minutes <= 360,
    isAccepted: users.status >= 200 && users.status < 300,
  }
}

describe("Microsoft's validation of client credentials", () => {
  it.for([
    [3_600, undefined],
    [3_600, 'scim'],
    [21_600, undefined],
  ] as const)('passes with a lifetime of %i seconds and the scope %s', async ([tokenLifetime, scope]) => {
    const client = await newOauthClient({ tokenLifetime })
    expect(await validate(client, scope)).toEqual({
      isIssued: true,
      isLifetimeAllowed: true,
      isAccepted: true,
    })
  })
})
