/**
 * The recorded traffic of Entra and Okta with their profiles, and its first rejection with `strict`.
 */
import { describe, expect, it } from 'vitest'
import flagDialect from '../fixtures/entra/life-flag-dialect.json' with { type: 'json' }
import oldDialect from '../fixtures/entra/life-old-dialect.json' with { type: 'json' }
import quirks from '../fixtures/entra/quirks.json' with { type: 'json' }
import oktaWizard from '../fixtures/okta/app-integration-wizard.json' with { type: 'json' }
import oktaCatalog from '../fixtures/okta/catalog-integration.json' with { type: 'json' }
import oktaSpecTest from '../fixtures/okta/spec-test.json' with { type: 'json' }
import { newClientWith } from '../support/profile-client.ts'
import { firstRefusal, replay, type Step } from '../support/replay.ts'

interface Fixture {
  readonly name: string
  readonly steps: readonly unknown[]
}

const ENTRA = [oldDialect, flagDialect, ...(quirks as readonly (Fixture & { quirk: number | string })[])]
const OKTA: readonly Fixture[] = [oktaCatalog, oktaWizard, oktaSpecTest]

describe('the traffic of Entra with "entra"', () => {
  it.for<Fixture>(ENTRA)('$name', async ({ steps }) => {
    await replay(await newClientWith('entra'), steps as readonly Step[])
  })
})

describe('the traffic of Okta with "okta"', () => {
  it.for(OKTA)('$name', async ({ steps }) => {
    await replay(await newClientWith('okta'), steps as readonly Step[])
  })
})

/**
 * Fixtures that `strict` rejects, with the event, status and scimType of the first rejection. `op` is sent in lower case,
 * because otherwise most fixtures would be rejected for that.
 */
const REFUSED_BY_STRICT: ReadonlyMap<string, readonly [string, number, string | undefined]> = new Map([
  ['One life, old dialect', ['Mirela Osterholt leaves the group', 400, 'invalidValue']],
  [
    'One life, aadOptscim062020 dialect',
    ['Initial cycle: update Mirela Osterholt, who differs', 400, 'invalidPath'],
  ],
  ['active is created as the string "True"', ['Create', 400, 'invalidValue']],
  ['active is created as the string "true"', ['Create', 400, 'invalidValue']],
  ['active is created as the string "False"', ['Create', 400, 'invalidValue']],
  ['active is created as the string "false"', ['Create', 400, 'invalidValue']],
  ['active is patched as a string and shown as a boolean', ['Disable', 400, 'invalidValue']],
  ['primary of a multi-valued attribute is a string', ['Setup: create a user', 400, 'invalidValue']],
  ['active is disabled by a path-less value', ['Enable, string', 400, 'invalidValue']],
  ['path-less operation with dotted keys', ['replace', 400, 'invalidPath']],
  ['path-less operation with a full URN as key', ['replace', 400, 'invalidPath']],
  ['value path whose element does not exist yet', ['Replace and Add', 400, 'noTarget']],
  ['quoted boolean in a value path', ['Replace', 400, 'invalidFilter']],
  ['Remove with path members and a value list removes only those', ['Remove one', 400, 'invalidValue']],
  ['remove with a value path', ['remove again, no longer a member', 400, 'noTarget']],
  ['members as an object, as a string, and as a list of one', ['Add an object', 400, 'invalidValue']],
  ['extension object without its URN in schemas', ['Create', 400, 'invalidValue']],
  ['extension attribute as one flat key in a create', ['Create', 400, 'invalidValue']],
  ['unknown and malformed URNs in schemas', ['Create a user', 400, 'invalidValue']],
  ['attributes that are not implemented are ignored', ['Create', 400, 'invalidValue']],
  ['empty Operations list', ['no operation', 400, 'invalidSyntax']],
  ['filter encodings', ['slash before the query', 404, undefined]],
  ['filter value without quotes', ['externalId eq bare', 400, 'invalidFilter']],
  ['a disabled user is asked for again and enabled', ['Disable', 400, 'invalidValue']],
  ['manager as a string, as an object, as a list and empty', ['string', 400, 'invalidValue']],
  ['trailing and double slashes', ['//Users', 404, undefined]],
  ['every mapped attribute is shown, active always', ['Create', 400, 'invalidValue']],
  ['members are added and removed in one PATCH, in order', ['Add and Remove', 400, 'invalidValue']],
  [
    'Okta, integration from the catalog: PUT for profiles, PATCH for status, password and groups',
    ['Rename the group, with its id inside the value', 400, 'mutability'],
  ],
])

describe('the same traffic with "strict"', () => {
  it.for<Fixture>([...ENTRA, ...OKTA])('is rejected where it deviates: $name', async ({ name, steps }) => {
    const inLowerCase = JSON.stringify(steps).replace(/"op":"(\w+)"/g, (op) => op.toLowerCase())
    const sent = JSON.parse(inLowerCase) as readonly Step[]
    expect(await firstRefusal(await newClientWith('strict'), sent)).toEqual(REFUSED_BY_STRICT.get(name))
  })

  it('is rejected for an op in title case', async () => {
    const fixture = quirks.find(({ name }) => name === 'op in title case and in lower case')
    const refusal = await firstRefusal(
      await newClientWith('strict'),
      (fixture?.steps ?? []) as readonly Step[],
    )
    expect(refusal).toEqual(['Replace', 400, 'invalidSyntax'])
  })
})
