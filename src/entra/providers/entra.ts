/** Microsoft Entra ID. The sources are in ../README.md. */
import { DEFAULT_GROUP_MAPPINGS, DEFAULT_USER_MAPPINGS } from '../mappings/attribute-mapping.ts'
import {
  addMembersRequest,
  createRequest,
  matchRequest,
  type ObjectType,
  probeRequest,
  readRequest,
  removeMembersRequest,
  updateRequest,
} from '../protocol/requests.ts'
import { ENTRA_WIRE } from '../protocol/scim-client.ts'
import type { MemberChange, ObjectProfile, ProviderProfile, TestInput, TestStep } from './profile.ts'

const objects = (type: ObjectType): Omit<ObjectProfile, 'attributeMappings'> => ({
  search: 'beforeCreate',
  searchRequest: (attribute, value) => matchRequest(type, attribute, value),
  notFoundMeansNone: false,
  createRequest: ({ values }) => createRequest(type, values),
  comparesWith: 'target',
  readRequest: (targetId) => readRequest(type, targetId),
  updateRequests: ({ targetId, changes, dialect }) => [updateRequest(type, targetId, changes, dialect)],
  replaces: false,
})

export const ENTRA: ProviderProfile = {
  title: 'Microsoft Entra ID',
  wire: ENTRA_WIRE,
  connectionTest: { steps: probes, everyCycle: true },
  users: { ...objects('User'), attributeMappings: DEFAULT_USER_MAPPINGS },
  groups: {
    ...objects('Group'),
    attributeMappings: DEFAULT_GROUP_MAPPINGS,
    members: { changesPerRequest: 'job', together: false, readsGroup: false, requests: memberRequests },
  },
  removal: { leftScope: 'disable', deleted: 'disable', purged: 'delete', group: 'delete' },
  renamesDeletedUsers: true,
  createsDisabledUsers: false,
  recreatesMissing: false,
}

function probes({ matching, newId }: TestInput): TestStep[] {
  const probe = (type: ObjectType, attribute: string): TestStep => ({
    purpose: 'probe',
    request: probeRequest(type, attribute, newId()),
  })
  return [
    probe('User', matching.User),
    ...(matching.Group === undefined ? [] : [probe('Group', matching.Group)]),
  ]
}

function memberRequests({ groupId, add, remove, dialect }: MemberChange) {
  const ids = (members: MemberChange['add']) => members.map(({ id }) => id)
  return add.length > 0
    ? [addMembersRequest(groupId, ids(add), dialect)]
    : [removeMembersRequest(groupId, ids(remove), dialect)]
}
