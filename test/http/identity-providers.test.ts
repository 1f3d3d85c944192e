/**
 * The traffic of Okta, OneLogin and JumpCloud from test/fixtures. Each file names its public sources, and states where a
 * source does not show a body.
 */
import { describe, expect, it } from 'vitest'
import jumpcloud from '../fixtures/jumpcloud/custom-scim.json' with { type: 'json' }
import oktaWizard from '../fixtures/okta/app-integration-wizard.json' with { type: 'json' }
import oktaCatalog from '../fixtures/okta/catalog-integration.json' with { type: 'json' }
import oktaSpecTest from '../fixtures/okta/spec-test.json' with { type: 'json' }
import onelogin from '../fixtures/onelogin/scim-v2-enterprise.json' with { type: 'json' }
import { newClient } from '../support/harness.ts'
import { replay, type Step } from '../support/replay.ts'

describe('the lifecycle of a user', () => {
  it.for([oktaCatalog, oktaWizard, oktaSpecTest, onelogin, jumpcloud])('$name', async ({ steps }) => {
    const client = await newClient()
    await replay(client, steps as readonly Step[])
    // Okta and JumpCloud always send a password. It must not be readable afterwards.
    expect(JSON.stringify(await client.log())).not.toContain('-Quillfern"')
  })
})
