/** OneLogin, "SCIM Provisioner with SAML (SCIM v2 Enterprise)". The sources are in README.md. */
import type { AttributeMapping, MappedValue, MappedValues } from '../mappings/attribute-mapping.ts'
import type { JsonObject } from '../problem.ts'
import { readTargetPath } from '../protocol/attribute-path.ts'
import { DEFAULT_RETRY } from '../protocol/fetch.ts'
import {
  CORE_USER,
  ENTERPRISE_USER,
  patchRequest,
  resourceOf,
  type ScimRequest,
} from '../protocol/requests.ts'
import { filterRequest, getRequest, mappedResource, putRequest, removeByPath, valuesOf } from './bodies.ts'
import { ACTIVE, EMAIL, FORMATTED_NAME, GROUP_NAME, NAMES, USER_NAME } from './mappings.ts'
import type { MemberChange, ProviderProfile, TestInput, TestStep } from './profile.ts'

const USER_MAPPINGS: readonly AttributeMapping[] = [
  { target: `${ENTERPRISE_USER}:department`, type: 'direct', source: 'department' },
  ACTIVE,
  EMAIL,
  ...NAMES,
  FORMATTED_NAME,
  USER_NAME,
  { target: 'title', type: 'direct', source: 'jobTitle' },
]

export const ONELOGIN: ProviderProfile = {
  title: 'OneLogin',
  wire: {
    headers: { Accept: 'application/json' },
    bodyHeaders: { 'Content-Type': 'application/json' },
    retry: DEFAULT_RETRY,
  },
  connectionTest: { steps: testSteps, everyCycle: false },
  users: {
    attributeMappings: USER_MAPPINGS,
    search: 'beforeCreate',
    searchRequest: (attribute, value) => filterRequest('User', attribute, value),
    notFoundMeansNone: true,
    createRequest: ({ values }) => ({ method: 'POST', path: '/Users', body: template(values, null) }),
    comparesWith: 'target',
    readRequest: (targetId) => getRequest('User', targetId),
    updateRequests: ({ targetId, values }) => [putRequest('User', targetId, template(values, targetId))],
    replaces: true,
  },
  groups: {
    attributeMappings: [GROUP_NAME],
    search: 'beforeCreate',
    searchRequest: () => allGroups(),
    selectFound: havingValue,
    notFoundMeansNone: false,
    createRequest: ({ values }) => ({
      method: 'POST',
      path: '/Groups',
      body: mappedResource('Group', values),
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
    // Groups follow from rules about each user, so each membership is a request.
    members: { changesPerRequest: 1, together: false, readsGroup: false, requests: memberRequests },
  },
  removal: { leftScope: 'delete', deleted: 'delete', purged: 'delete', group: 'ignore' },
  renamesDeletedUsers: false,
  createsDisabledUsers: false,
  recreatesMissing: false,
}

/** A userName that cannot exist tests the connection. "Refresh entitlements" reads the groups. */
function testSteps({ matching, newId }: TestInput): TestStep[] {
  return [
    { purpose: 'match', request: filterRequest('User', 'userName', newId()) },
    ...(matching.Group === undefined ? [] : [{ purpose: 'match', request: allGroups() } as const]),
  ]
}

function allGroups(): ScimRequest {
  return { method: 'GET', path: '/Groups' }
}

/** Groups are read as a whole, and the one with the same name is chosen here. */
function havingValue(found: readonly JsonObject[], attribute: string, value: MappedValue): JsonObject[] {
  return found.filter((resource) => readTargetPath(resource, attribute) === value)
}

/** The administrator's template: `active` is text, and `id` is null on creation. */
function template(values: MappedValues, id: string | null): Record<string, unknown> {
  const texts = new Map([...values].map(([path, value]) => [path, path === 'active' ? String(value) : value]))
  const body = resourceOf([CORE_USER, ENTERPRISE_USER], texts)
  return { ...body, meta: { resourceType: 'User' }, id }
}

function memberRequests({ groupId, add, remove }: MemberChange): ScimRequest[] {
  const operations =
    add.length > 0 ? [{ op: 'add', path: 'members', value: valuesOf(add) }] : remove.map(removeByPath)
  return [patchRequest('Group', groupId, operations)]
}
