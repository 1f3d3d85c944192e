/**
 * Okta: an integration that an administrator makes with the App Integration Wizard, and one from the catalog (the Okta
 * Integration Network). The two differ in the methods of updates. The sources are in README.md.
 */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import { ENTERPRISE_USER, patchRequest, type ScimRequest } from '../protocol/requests.ts'
import type { WireProfile } from '../protocol/scim-client.ts'
import {
  filterRequest,
  getRequest,
  mappedResource,
  mergedResource,
  putRequest,
  removeByPath,
} from './bodies.ts'
import { ACTIVE, EMAIL, GROUP_NAME, NAMES, USER_NAME } from './mappings.ts'
import type {
  GroupProfile,
  Member,
  MemberChange,
  ObjectProfile,
  ProviderProfile,
  TestInput,
  TestStep,
  Update,
} from './profile.ts'

/** Every query asks for at most 100 resources. */
export const OKTA_PAGE_SIZE = 100
const PAGING = `&startIndex=1&count=${OKTA_PAGE_SIZE}`

/** Only whole seconds in `Retry-After` count, and the wait without them is 60 seconds: not confirmed. */
const WIRE: WireProfile = {
  headers: {
    'User-Agent': 'Okta SCIM Client 1.0.0',
    Accept: 'application/scim+json',
    'Accept-Charset': 'utf-8',
  },
  bodyHeaders: { 'Content-Type': 'application/scim+json; charset=utf-8' },
  retry: { maxAttempts: 5, defaultMs: 60_000, doubles: false, maxWaitMs: 5 * 60_000, readsDates: false },
}

const USER_MAPPINGS: readonly AttributeMapping[] = [
  USER_NAME,
  ...NAMES,
  EMAIL,
  { target: 'displayName', type: 'direct', source: 'displayName' },
  { target: 'title', type: 'direct', source: 'jobTitle' },
  { target: 'locale', type: 'direct', source: 'preferredLanguage' },
  { target: 'externalId', type: 'direct', source: 'objectId' },
  { target: `${ENTERPRISE_USER}:department`, type: 'direct', source: 'department' },
  ACTIVE,
]

const USERS: ObjectProfile = {
  attributeMappings: USER_MAPPINGS,
  search: 'beforeCreate',
  searchRequest: (attribute, value) => filterRequest('User', attribute, value, PAGING),
  notFoundMeansNone: true,
  createRequest: ({ values, newId }) => ({
    method: 'POST',
    path: '/Users',
    // A new random password comes with every user; a service provider without passwords ignores it.
    body: { ...mappedResource('User', values), groups: [], password: newId().slice(-12) },
  }),
  comparesWith: 'target',
  readRequest: (targetId) => getRequest('User', targetId),
  updateRequests: (update) => [putUser(update)],
  replaces: true,
}

const GROUPS: GroupProfile = {
  attributeMappings: [GROUP_NAME],
  search: 'beforeCreate',
  searchRequest: (attribute, value) => filterRequest('Group', attribute, value, PAGING),
  notFoundMeansNone: true,
  createRequest: ({ values }) => ({
    method: 'POST',
    path: '/Groups',
    body: { ...mappedResource('Group', values), members: [] },
  }),
  comparesWith: 'target',
  readRequest: (targetId) => getRequest('Group', targetId),
  updateRequests: (update) => [putRequest('Group', update.targetId, mergedResource('Group', update))],
  replaces: false,
  members: {
    changesPerRequest: 'all',
    together: true,
    readsGroup: true,
    requests: putGroup,
    pushNow: putGroup,
  },
}

/** An integration made with the wizard: every update is a PUT. */
export const OKTA: ProviderProfile = {
  title: 'Okta, integration made with the wizard',
  wire: WIRE,
  connectionTest: { steps: () => [usersPage()], everyCycle: false },
  users: USERS,
  groups: GROUPS,
  removal: { leftScope: 'disable', deleted: 'disable', purged: 'disable', group: 'delete' },
  renamesDeletedUsers: false,
  createsDisabledUsers: false,
  recreatesMissing: false,
}

/** An integration from the catalog: profiles by PUT; `active` and groups by PATCH. */
export const OKTA_CATALOGUE: ProviderProfile = {
  ...OKTA,
  title: 'Okta, integration from the catalog',
  connectionTest: { steps: pages, everyCycle: false },
  users: { ...USERS, updateRequests: patchStatus },
  groups: {
    ...GROUPS,
    comparesWith: 'lastExport',
    updateRequests: ({ targetId, values }) => [renameGroup(targetId, String(values.get('displayName')))],
    members: {
      changesPerRequest: 100,
      together: true,
      readsGroup: false,
      requests: patchMembers,
      pushNow: replaceMembers,
    },
  },
}

function usersPage(): TestStep {
  return { purpose: 'match', request: { method: 'GET', path: '/Users?startIndex=1&count=2' } }
}

/** When the integration is saved, Okta reads two users and, if it provisions groups, a page of groups. */
function pages({ matching }: TestInput): TestStep[] {
  const groups: ScimRequest = { method: 'GET', path: `/Groups?startIndex=1&count=${OKTA_PAGE_SIZE}` }
  return [
    usersPage(),
    ...(matching.Group === undefined ? [] : [{ purpose: 'match', request: groups } as const]),
  ]
}

/** The user as it was read, with the changes. */
function putUser(update: Update): ScimRequest {
  return putRequest('User', update.targetId, mergedResource('User', update))
}

/** `active` is sent by a PATCH without a path, everything else by a PUT that leaves `active` as it was read. */
function patchStatus(update: Update): ScimRequest[] {
  const { targetId, changes, cleared } = update
  const status = changes.find(({ path }) => path === 'active')
  const values = new Map([...update.values].filter(([path]) => path !== 'active'))
  const isProfile = cleared.length > 0 || changes.some(({ path }) => path !== 'active')
  return [
    ...(isProfile ? [putUser({ ...update, values })] : []),
    ...(status === undefined
      ? []
      : [patchRequest('User', targetId, [{ op: 'replace', value: { active: status.value } }])]),
  ]
}

/** The group as it was read, with all its members. */
function putGroup({ groupId, displayName, all, group }: MemberChange): ScimRequest[] {
  const values = new Map([['displayName', displayName]])
  const body = mergedResource('Group', {
    values,
    cleared: [],
    ...(group === undefined ? {} : { target: group }),
  })
  return [putRequest('Group', groupId, { ...body, members: all.map(memberOf) })]
}

/** The group's name goes before each change of its members, with the id inside the value. */
function patchMembers({ groupId, displayName, add, remove }: MemberChange): ScimRequest[] {
  const operations = [
    ...remove.map(removeByPath),
    ...(add.length === 0 ? [] : [{ op: 'add', path: 'members', value: add.map(memberOf) }]),
  ]
  return [renameGroup(groupId, displayName), patchRequest('Group', groupId, operations)]
}

/** "Push now" replaces all members, with an empty list too. */
function replaceMembers({ groupId, all }: MemberChange): ScimRequest[] {
  return [patchRequest('Group', groupId, [{ op: 'replace', path: 'members', value: all.map(memberOf) }])]
}

function renameGroup(groupId: string, displayName: string): ScimRequest {
  return patchRequest('Group', groupId, [{ op: 'replace', value: { id: groupId, displayName } }])
}

function memberOf({ id, userName }: Member): Record<string, unknown> {
  return { value: id, display: userName }
}
