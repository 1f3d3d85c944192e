/**
 * The addresses that are measured: at least one for each GET of PAGES, so that a new page cannot be forgotten. A page with
 * several forms, such as a list with its filters, has one address for each of them.
 */
import { PAGES } from '../../../src/admin/people/operations.ts'
import { groupId, userId } from '../directory.ts'

/** What a directory for pages has, by what the addresses need. */
export interface Scene {
  readonly users: number
  /** A client with a token, a secret and an issuer. */
  readonly clientId: string
  readonly tokenId: string
  readonly secretId: string
  readonly adminTokenId: string
  readonly webhookId: string
  /** A user that was deleted. */
  readonly deletedId: string
  /** A user whose attributes changed often. */
  readonly changedId: string
  /** The client of the directory, and one that has written little of it. */
  readonly mainClientId: string
  readonly otherClientId: string
  readonly undoId: string
  readonly undoFrom: string
  readonly undoTo: string
  readonly logEntryId: string
  /** Of a refused write. */
  readonly refusedEntryId: string
  /** Of a refused write whose request is kept. */
  readonly explainedEntryId: string | undefined
  readonly schema: string
}

/** Files. They are streams of everything that was asked for, so they have no limit of rows. */
const DOWNLOADS: ReadonlySet<string> = new Set([
  'GET /admin/audit.csv',
  'GET /admin/tenants/:tenant/audit.csv',
  'GET /admin/tenants/:tenant/log.csv',
  'GET /admin/tenants/:tenant/log.json',
  'GET /admin/tenants/:tenant/jobs/:job/file',
])

/** @throws {Error} naming the pages that have no address */
export function addressesOf(scene: Scene): readonly string[] {
  const addresses = allAddresses(scene)
  const missing = Object.keys(PAGES).filter(
    (page) => page.startsWith('GET ') && !DOWNLOADS.has(page) && addresses[page] === undefined,
  )
  if (missing.length > 0)
    throw new Error(`no address in test/bench/pages/addresses.ts: ${missing.join(', ')}`)
  return Object.values(addresses).flat()
}

function allAddresses(scene: Scene): Readonly<Record<string, readonly string[]>> {
  const t = '/admin/tenants/default'
  const of = (path: string) => `GET /admin/tenants/:tenant${path}`
  const keys = `${t}/api-keys`
  return {
    'GET /admin': ['/admin'],
    'GET /admin/tenants': ['/admin/tenants', '/admin/tenants?q=tenant-9', '/admin/tenants?q=tenant+999'],
    'GET /admin/administrators': ['/admin/administrators'],
    'GET /admin/administrators/tokens/:id/revoke': [
      `/admin/administrators/tokens/${scene.adminTokenId}/revoke`,
    ],
    'GET /admin/audit': ['/admin/audit'],
    'GET /admin/limits': ['/admin/limits'],
    [of('/audit')]: [`${t}/audit`],
    [of('')]: [t],
    [of('/settings')]: [`${t}/settings`],
    [of('/transfer')]: [`${t}/transfer`],
    [of('/:segment')]: listsOf(t, scene),
    [of('/:segment/:id')]: [
      `${t}/users/${userId(1)}`,
      `${t}/users/${scene.changedId}`,
      `${t}/groups/${groupId(1)}`,
      `${t}/groups/${groupId(1)}?members=${userId(Math.floor(scene.users / 20))}`,
    ],
    [of('/:segment/:id/disable')]: [`${t}/users/${userId(1)}/disable`],
    [of('/connect')]: [`${t}/connect`],
    [of('/connect/:guide')]: [
      `${t}/connect/entra`,
      `${t}/connect/okta?client=${scene.clientId}`,
      `${t}/connect/entra?client=${scene.otherClientId}`,
    ],
    [of('/api-keys')]: [keys],
    [of('/api-keys/:id/rotate')]: [`${keys}/${scene.tokenId}/rotate`],
    [of('/api-keys/:id/revoke')]: [`${keys}/${scene.tokenId}/revoke`],
    [of('/api-keys/clients/:id/delete')]: [`${keys}/clients/${scene.clientId}/delete`],
    [of('/api-keys/secrets/:id/rotate')]: [`${keys}/secrets/${scene.secretId}/rotate`],
    [of('/api-keys/secrets/:id/revoke')]: [`${keys}/secrets/${scene.secretId}/revoke`],
    [of('/api-keys/federation')]: [`${keys}/federation`],
    [of('/api-keys/clients/:id/federation')]: [`${keys}/clients/${scene.clientId}/federation`],
    [of('/api-keys/clients/:id/federation/remove')]: [`${keys}/clients/${scene.clientId}/federation/remove`],
    [of('/log')]: logsOf(t, scene),
    [of('/log/:id')]: [`${t}/log/${scene.logEntryId}`, `${t}/log/${scene.refusedEntryId}`],
    [of('/explain')]: [
      `${t}/explain`,
      ...(scene.explainedEntryId === undefined ? [] : [`${t}/explain?entry=${scene.explainedEntryId}`]),
    ],
    [of('/drift')]: [`${t}/drift`],
    [of('/schemas')]: [`${t}/schemas`],
    [of('/schemas/remove')]: [`${t}/schemas/remove?urn=${encodeURIComponent(scene.schema)}`],
    [of('/webhooks')]: [`${t}/webhooks`],
    [of('/webhooks/:id')]: [`${t}/webhooks/${scene.webhookId}`],
    [of('/webhooks/:id/delete')]: [`${t}/webhooks/${scene.webhookId}/delete`],
    [of('/sources')]: [`${t}/sources`],
    [of('/deleted')]: [`${t}/deleted`],
    [of('/deleted/:id/restore')]: [`${t}/deleted/${scene.deletedId}/restore`],
    [of('/deleted/:id/erase')]: [`${t}/deleted/${scene.deletedId}/erase`],
    [of('/history/:id')]: [`${t}/history/${scene.changedId}`, `${t}/history/${groupId(1)}`],
    [of('/undo')]: [
      `${t}/undo`,
      `${t}/undo?client=${scene.otherClientId}&from=${scene.undoFrom}&to=${scene.undoTo}`,
    ],
    [of('/undo/:id')]: [`${t}/undo/${scene.undoId}`],
  }
}

/** Lists of users and groups: each order and condition, a page in the middle, searches. */
function listsOf(t: string, { users, mainClientId, otherClientId }: Scene): readonly string[] {
  const middle = userId(Math.floor(users / 2))
  const name = `person-${Math.floor(users / 2)}`
  const queries = [
    '',
    `?after=${name}@quillfern.example&row=${Math.floor(users / 2)}`,
    '?sort=displayName',
    '?sort=created',
    `?sort=created&after=${middle}&row=${middle}`,
    '?sort=modified',
    '?show=active',
    '?show=inactive',
    '?show=conflict',
    `?source=${mainClientId}`,
    `?source=${mainClientId}&after=${middle}&row=${middle}`,
    `?source=${otherClientId}`,
    `?group=${groupId(1)}`,
    `?group=${groupId(1)}&q=person-${Math.floor(users / 20)}`,
    `?q=${name}`,
    '?q=given',
    '?q=quillfern.example',
    '?q=given+person',
    '?q=erson',
    '?q=person&in=userName',
    '?q=given&in=givenName',
  ]
  return [
    ...queries.map((query) => `${t}/users${query}`),
    ...['', '?sort=created', '?show=conflict', `?source=${mainClientId}`, '?q=group-1'].map(
      (query) => `${t}/groups${query}`,
    ),
  ]
}

/** The log: what an index answers, and what it does not. */
function logsOf(t: string, { mainClientId, otherClientId }: Scene): readonly string[] {
  return [
    '',
    '?outcome=refused',
    `?resource=${userId(1)}`,
    `?client=${mainClientId}`,
    `?client=${otherClientId}`,
    '?action=delete',
    '?type=Group',
    '?q=nobody',
  ].map((query) => `${t}/log${query}`)
}
