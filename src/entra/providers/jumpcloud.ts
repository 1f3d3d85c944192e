/** JumpCloud, custom SCIM integration. The sources are in README.md. */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import { DEFAULT_RETRY } from '../protocol/fetch.ts'
import { CORE_GROUP, CORE_USER, deleteRequest, patchRequest, type ScimRequest } from '../protocol/requests.ts'
import { filterRequest, getRequest, mappedResource, putRequest, valuesOf } from './bodies.ts'
import { ACTIVE, EMAIL, FORMATTED_NAME, GROUP_NAME, NAMES, USER_NAME } from './mappings.ts'
import type { MemberChange, ProviderProfile, TestInput, TestStep } from './profile.ts'

const USER_MAPPINGS: readonly AttributeMapping[] = [
  USER_NAME,
  { target: 'externalId', type: 'direct', source: 'objectId' },
  ...NAMES,
  FORMATTED_NAME,
  { target: 'displayName', type: 'direct', source: 'displayName' },
  EMAIL,
  { target: 'title', type: 'direct', source: 'jobTitle' },
  ACTIVE,
]

export const JUMPCLOUD: ProviderProfile = {
  title: 'JumpCloud',
  wire: {
    headers: { Accept: 'application/scim+json' },
    bodyHeaders: { 'Content-Type': 'application/scim+json' },
    retry: DEFAULT_RETRY,
  },
  connectionTest: { steps: testUserAndGroup, everyCycle: false },
  users: {
    attributeMappings: USER_MAPPINGS,
    search: 'beforeCreate',
    searchRequest: (attribute, value) => filterRequest('User', attribute, value),
    notFoundMeansNone: false,
    createRequest: ({ values }) => ({ method: 'POST', path: '/Users', body: mappedResource('User', values) }),
    comparesWith: 'lastExport',
    readRequest: (targetId) => getRequest('User', targetId),
    updateRequests: ({ targetId, values }) => [
      putRequest('User', targetId, { ...mappedResource('User', values), id: targetId }),
    ],
    replaces: true,
  },
  groups: {
    attributeMappings: [GROUP_NAME, { target: 'externalId', type: 'direct', source: 'objectId' }],
    search: 'beforeCreate',
    searchRequest: (attribute, value) => filterRequest('Group', attribute, value),
    notFoundMeansNone: false,
    createRequest: ({ values }) => ({
      method: 'POST',
      path: '/Groups',
      body: { ...mappedResource('Group', values), members: [] },
    }),
    comparesWith: 'lastExport',
    readRequest: (targetId) => getRequest('Group', targetId),
    updateRequests: ({ targetId, changes }) => [
      patchRequest(
        'Group',
        targetId,
        changes.map(({ path, value }) => ({ op: 'replace', path, value })),
      ),
    ],
    replaces: false,
    members: { changesPerRequest: 'job', together: false, readsGroup: false, requests: memberRequests },
  },
  removal: { leftScope: 'disable', deleted: 'delete', purged: 'delete', group: 'delete' },
  renamesDeletedUsers: false,
  createsDisabledUsers: false,
  recreatesMissing: false,
}

/** "Test Connection" creates a test user and a test group, changes and disables the user, and deletes both. */
function testUserAndGroup({ matching, newId }: TestInput): TestStep[] {
  const userName = `${newId()}@test.example`
  const user = (displayName: string, active: boolean) => ({
    schemas: [CORE_USER],
    userName,
    name: { givenName: 'Test', familyName: 'User' },
    displayName,
    active,
  })
  const put = (displayName: string, active: boolean): TestStep => ({
    purpose: 'update',
    request: ([id = '']) => putRequest('User', id, { ...user(displayName, active), id }),
  })
  return [
    { purpose: 'create', request: { method: 'POST', path: '/Users', body: user('Test User', true) } },
    { purpose: 'read', request: ([id = '']) => getRequest('User', id) },
    put('Test User, updated', true),
    put('Test User, updated', false),
    ...(matching.Group === undefined ? [] : testGroup(newId())),
    { purpose: 'delete', request: ([id = '']) => deleteRequest('User', id), deletes: 0 },
  ]
}

function testGroup(displayName: string): TestStep[] {
  const body = { schemas: [CORE_GROUP], displayName, members: [] }
  return [
    { purpose: 'create', request: { method: 'POST', path: '/Groups', body } },
    { purpose: 'delete', request: ([, id = '']) => deleteRequest('Group', id), deletes: 1 },
  ]
}

/** Members are removed by a list of values, without a filter. */
function memberRequests({ groupId, add, remove }: MemberChange): ScimRequest[] {
  const [op, members] = add.length > 0 ? ['add', add] : ['remove', remove]
  return [patchRequest('Group', groupId, [{ op, path: 'members', value: valuesOf(members) }])]
}
