/** authentik's SCIM provider, to an endpoint that supports PATCH and filters. The sources are in README.md. */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import { matchRequest, patchRequest, type ScimRequest } from '../protocol/requests.ts'
import { getRequest, mappedResource, putRequest, valuesOf } from './bodies.ts'
import { ACTIVE, GROUP_NAME, USER_NAME } from './mappings.ts'
import type { Creation, MemberChange, ProviderProfile, Update } from './profile.ts'

const EXTERNAL_ID: AttributeMapping = { target: 'externalId', type: 'direct', source: 'objectId' }

/** The given name ends at the first space of the display name; the family name follows it. */
const USER_MAPPINGS: readonly AttributeMapping[] = [
  USER_NAME,
  { target: 'name.formatted', type: 'direct', source: 'displayName' },
  { target: 'name.givenName', type: 'expression', source: 'Word([displayName], 1, " ")' },
  {
    target: 'name.familyName',
    type: 'expression',
    source: 'Replace([displayName], , "^\\S+\\s*", , "", , )',
  },
  { target: 'displayName', type: 'direct', source: 'displayName' },
  ACTIVE,
  { target: 'emails[type eq "other"].value', type: 'direct', source: 'mail' },
  EXTERNAL_ID,
]

/** Both headers come with every request, with a body or without. */
const CONTENT = { Accept: 'application/scim+json', 'Content-Type': 'application/scim+json' }

export const AUTHENTIK: ProviderProfile = {
  title: 'authentik',
  // 429 ends the attempt for this object, and a later synchronization repeats it.
  wire: {
    headers: CONTENT,
    bodyHeaders: {},
    retry: { maxAttempts: 1, defaultMs: 0, doubles: false, maxWaitMs: 0, readsDates: false },
  },
  connectionTest: {
    steps: () => [{ purpose: 'document', request: { method: 'GET', path: '/ServiceProviderConfig' } }],
    everyCycle: true,
  },
  users: {
    attributeMappings: USER_MAPPINGS,
    search: 'afterConflict',
    searchRequest: (attribute, value) => matchRequest('User', attribute, value),
    notFoundMeansNone: false,
    createRequest: ({ values }) => ({ method: 'POST', path: '/Users', body: userBody({ values }) }),
    comparesWith: 'lastExport',
    readRequest: (targetId) => getRequest('User', targetId),
    updateRequests: ({ targetId, values }) => [
      putRequest('User', targetId, { ...userBody({ values }), id: targetId }),
    ],
    replaces: true,
  },
  groups: {
    attributeMappings: [GROUP_NAME, EXTERNAL_ID],
    search: 'afterConflict',
    searchRequest: searchGroup,
    notFoundMeansNone: false,
    createRequest: ({ values }) => ({
      method: 'POST',
      path: '/Groups',
      body: mappedResource('Group', values),
    }),
    comparesWith: 'lastExport',
    readRequest: (targetId) => getRequest('Group', targetId),
    updateRequests: replaceGroup,
    replaces: true,
    members: { changesPerRequest: 'all', together: false, readsGroup: false, requests: memberRequests },
  },
  removal: { leftScope: 'ignore', deleted: 'delete', purged: 'delete', group: 'delete' },
  renamesDeletedUsers: false,
  createsDisabledUsers: true,
  recreatesMissing: true,
}

/** The only email is the primary one, of the type "other"; `photos` is empty without an avatar that has a URL. */
function userBody({ values }: Pick<Creation, 'values'>): Record<string, unknown> {
  const body = mappedResource('User', values)
  const emails = values.has('emails[type eq "other"].value')
    ? [{ value: values.get('emails[type eq "other"].value'), type: 'other', primary: true }]
    : []
  return { ...body, emails, photos: [] }
}

function searchGroup(attribute: string, value: unknown): ScimRequest {
  const query = new URLSearchParams({ filter: `${attribute} eq ${JSON.stringify(String(value))}` })
  return { method: 'GET', path: `/Groups?${query}` }
}

/** One operation without a path that carries the whole group, its id included. Then the members are read. */
function replaceGroup({ targetId, values }: Update): ScimRequest[] {
  const value = { ...mappedResource('Group', values), id: targetId }
  return [patchRequest('Group', targetId, [{ op: 'replace', value }]), getRequest('Group', targetId)]
}

/** One operation for each member, all in one request. */
function memberRequests({ groupId, add, remove }: MemberChange): ScimRequest[] {
  const operation = (op: string) => (member: MemberChange['add'][number]) => ({
    op,
    path: 'members',
    value: valuesOf([member]),
  })
  return [patchRequest('Group', groupId, [...add.map(operation('add')), ...remove.map(operation('remove'))])]
}
