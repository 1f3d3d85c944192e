/**
 * Google Workspace, automated user provisioning. Google publishes no requests; the sources in README.md confirm the test
 * of the connection, that groups are not sent, and what happens to suspended and deleted users.
 */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import { DEFAULT_RETRY } from '../protocol/fetch.ts'
import { filterRequest, getRequest, mappedResource, putRequest } from './bodies.ts'
import { ACTIVE, EMAIL, NAMES, USER_NAME } from './mappings.ts'
import type { ProviderProfile } from './profile.ts'

const USER_MAPPINGS: readonly AttributeMapping[] = [
  USER_NAME,
  ...NAMES,
  { target: 'displayName', type: 'direct', source: 'displayName' },
  EMAIL,
  ACTIVE,
]

export const GOOGLE: ProviderProfile = {
  title: 'Google Workspace',
  wire: {
    headers: {},
    bodyHeaders: { 'Content-Type': 'application/scim+json' },
    retry: DEFAULT_RETRY,
  },
  connectionTest: {
    steps: () => [{ purpose: 'match', request: { method: 'GET', path: '/Users?count=1' } }],
    everyCycle: false,
  },
  users: {
    attributeMappings: USER_MAPPINGS,
    search: 'beforeCreate',
    searchRequest: (attribute, value) => filterRequest('User', attribute, value),
    notFoundMeansNone: false,
    createRequest: ({ values }) => ({ method: 'POST', path: '/Users', body: mappedResource('User', values) }),
    comparesWith: 'lastExport',
    readRequest: (targetId) => getRequest('User', targetId),
    // RFC 7644 §3.5 requires PUT of a service provider and leaves PATCH open.
    updateRequests: ({ targetId, values }) => [
      putRequest('User', targetId, { ...mappedResource('User', values), id: targetId }),
    ],
    replaces: true,
  },
  removal: { leftScope: 'disable', deleted: 'disable', purged: 'delete', group: 'ignore' },
  renamesDeletedUsers: false,
  createsDisabledUsers: false,
  recreatesMissing: false,
}
