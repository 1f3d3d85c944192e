/** The checks that come first, once for both dialects: connection, discovery, and access without a valid token. */
import {
  createRequest,
  matchRequest,
  probeRequest,
  type ScimRequest,
  schemasRequest,
} from '../../protocol/requests.ts'
import { anyList, anyObject, listOf, unauthorized } from '../assertions.ts'
import { type Assertion, atWorst, finding } from '../findings.ts'
import type { Scene } from '../scene.ts'
import {
  type CheckDefinition,
  type Credentials,
  type Effects,
  entraPage,
  rfc,
  type SingleStep,
  step,
} from './check-definition.ts'

const TEST_FAILS = 'Test connection fails, and a running job goes into quarantine'

export const ANYBODY = 'Everybody who knows the URL has access to the users and groups'

const CONNECTION: Effects = {
  silence: TEST_FAILS,
  refusal: TEST_FAILS,
  consent: TEST_FAILS,
  body: TEST_FAILS,
  surplus: `${TEST_FAILS}: the endpoint ignores the filter`,
}

export const SCHEMAS_TITLE = 'read the schemas'
export const RESOURCE_TYPES_TITLE = 'read the resource types'

export const CONNECTION_CHECKS: readonly CheckDefinition[] = [
  {
    name: 'connection',
    what: 'a query for a user that does not exist finds none',
    why: TEST_FAILS,
    source: entraPage('use-scim-to-provision-users-and-groups#general'),
    needs: [],
    steps: ({ newId, userKey }) => [
      step(
        'query for a user that does not exist',
        () => probeRequest('User', userKey, newId()),
        listOf(0),
        CONNECTION,
      ),
    ],
  },
  {
    name: 'discovery',
    what: 'what the endpoint says that it supports; an application of the gallery must list its schemas',
    why: 'Entra lists the attributes of an application of the gallery from /Schemas; it reads nothing else',
    source: entraPage('use-scim-to-provision-users-and-groups#schema-discovery'),
    needs: [],
    steps: discoverySteps,
  },
  {
    name: 'group-connection',
    what: 'a query for a group that does not exist finds none',
    why: TEST_FAILS,
    source: entraPage('use-scim-to-provision-users-and-groups#general'),
    needs: ['groups'],
    steps: ({ newId, groupKey }) => [
      step(
        'query for a group that does not exist',
        () => probeRequest('Group', groupKey, newId()),
        listOf(0),
        CONNECTION,
      ),
    ],
  },
  {
    name: 'token',
    what: 'requests without the token, with another one, and with one wrong character are refused',
    why: ANYBODY,
    source: rfc(7644, '2'),
    needs: [],
    steps: tokenSteps,
  },
  {
    name: 'token-for-groups',
    what: 'requests for groups with another token are refused',
    why: ANYBODY,
    source: rfc(7644, '2'),
    needs: ['groups'],
    steps: ({ newId, groupKey }) => [
      refused('read groups', 'random', () => matchRequest('Group', groupKey, newId())),
    ],
  },
]

function discoverySteps({ mappings }: Scene): readonly SingleStep[] {
  const optional = (path: string): ScimRequest => ({ method: 'GET', path })
  return [
    step(
      'read the configuration of the service provider',
      () => optional('/ServiceProviderConfig'),
      unlessAbsent(atWorst('acceptable', anyObject()), 'Entra does not read it'),
    ),
    step(
      RESOURCE_TYPES_TITLE,
      () => optional('/ResourceTypes'),
      unlessAbsent(atWorst('acceptable', anyList()), 'Entra does not read them'),
    ),
    mappings.gallery
      ? step(SCHEMAS_TITLE, schemasRequest, anyList(), {
          refusal: 'An application of the gallery does not list the attributes of the endpoint',
          body: 'An application of the gallery does not list the attributes of the endpoint',
        })
      : step(
          SCHEMAS_TITLE,
          schemasRequest,
          unlessAbsent(atWorst('acceptable', anyList()), 'only an application of the gallery needs them'),
        ),
  ]
}

/** 404 and 501 say that the endpoint does not offer what Entra does not need. */
function unlessAbsent(assertion: Assertion, reason: string): Assertion {
  return (answer) => {
    const isAbsent = answer.kind === 'answer' && [404, 501].includes(answer.status)
    return isAbsent ? finding('not-applicable', `not offered; ${reason}`) : assertion(answer)
  }
}

const CREDENTIALS: Readonly<Record<Credentials, string>> = {
  none: 'without a token',
  random: 'with a random token',
  altered: 'with a token whose last character is wrong',
}

function tokenSteps(scene: Scene): readonly SingleStep[] {
  const { newId, userKey } = scene
  const read = () => matchRequest('User', userKey, newId())
  return [
    refused('read users', 'none', read),
    refused('read users', 'random', read),
    refused('read users', 'altered', read),
    refused('create a user', 'random', () => createRequest('User', scene.stranger)),
  ]
}

/** A step whose request must be refused, because of its credentials. */
export function refused(what: string, credentials: Credentials, request: SingleStep['request']): SingleStep {
  return {
    ...step(`${what} ${CREDENTIALS[credentials]}`, request, unauthorized(), {
      consent: `${ANYBODY}; Entra does not notice`,
      refusal:
        'A token that ended is not recognized: the job retries each object, and is not quarantined at once',
    }),
    credentials,
  }
}
