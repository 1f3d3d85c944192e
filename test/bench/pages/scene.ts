/**
 * The directory whose pages are measured: many users, groups and log entries, and some of everything else that a page shows. SQL
 * writes what is many; the server writes the rest.
 */
import { DatabaseSync } from 'node:sqlite'
import { type Directory, groupId, makeDirectory, USER, userId } from '../directory.ts'
import { ADMIN_TOKEN, type Peer } from '../peers/peer.ts'
import type { Scene } from './addresses.ts'

export interface SceneSize {
  readonly users: number
  readonly logEntries: number
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Over so many days the entries of the log are spread. */
const LOG_DAYS = 3
const [SMALL_GROUPS, SMALL_GROUP_MEMBERS] = [150, 20]
const [TENANTS, AUDIT_ENTRIES] = [1_000, 20_000]
/** Users of two sources with one identifier, users that are deleted, and changes of one user. */
const [CONFLICTS, DELETED, CHANGES] = [60, 60, 60]
const OTHER_CLIENT = 'default_other'
const SCHEMA = 'urn:ietf:params:scim:schemas:extension:bench:2.0:User'

/** A file with users, a group with a tenth of them and small ones, the log, other tenants, and the audit trail. */
export async function makeFile({ users, logEntries }: SceneSize, now: number): Promise<Directory> {
  const small = Array.from({ length: SMALL_GROUPS }, () => ({ members: SMALL_GROUP_MEMBERS }))
  const directory = await makeDirectory({ users, groups: [{ members: Math.floor(users / 10) }, ...small] })
  const database = new DatabaseSync(directory.file)
  database.exec('PRAGMA synchronous=OFF; BEGIN')
  database.exec(`INSERT INTO clients (id, tenant_id, name, scope, created_at)
    VALUES ('${OTHER_CLIENT}', 'default', 'Other client', 'provision', ${now - 2 * LOG_DAYS * DAY_MS})`)
  fillLog(database, { users, logEntries, now })
  database.exec(`${numbers(TENANTS)} INSERT INTO tenants (id, name, name_words, created_at)
    SELECT 'tenant-' || i, 'Tenant ' || i, json_object('of', 'Tenant ' || i, 'words', json_array('tenant', cast(i AS text))), ${now} FROM n`)
  database.exec(`${numbers(AUDIT_ENTRIES)} INSERT INTO audit_trail (time, administrator, operation, source, tenant_id, target,
      outcome, status, changes, request_id)
    SELECT ${now} - (${AUDIT_ENTRIES} - i) * 1000, 'Administrator', 'updateTenant', 'dashboard', 'default', NULL, 'accepted', 200,
      '[]', 'request-' || i FROM n`)
  database.exec('COMMIT')
  database.close()
  return directory
}

/** Four in five entries are of the main client; one in 400 is refused. The feed has an event of each. */
function fillLog(
  database: DatabaseSync,
  { users, logEntries, now }: SceneSize & { readonly now: number },
): void {
  const first = now - LOG_DAYS * DAY_MS
  const time = `${first} + i * ${Math.floor((LOG_DAYS * DAY_MS) / logEntries)}`
  const main = database
    .prepare(`SELECT id, client_id AS client FROM tokens WHERE tenant_id = 'default'`)
    .get()
  const hex = `printf('%012x', ${time})`
  database.exec(`${numbers(logEntries)} INSERT INTO provisioning_log (tenant_id, id, time, token_id, action, outcome, resource_type,
      resource_id, resource_name, status, scim_type, detail, changes, ignored, request_id, client_id)
    SELECT 'default', substr(${hex}, 1, 8) || '-' || substr(${hex}, 9) || printf('-7000-8000-%012d', i), ${time}, '${main?.id}',
      'update', iif(i % 400 = 0, 'refused', 'accepted'), 'User', printf('01900000-0000-7000-8000-1%011d', i % ${users} + 1),
      'person-' || (i % ${users} + 1), iif(i % 400 = 0, 400, 200), iif(i % 400 = 0, 'invalidValue', NULL),
      iif(i % 400 = 0, 'the value of "title" must be a string, got a number', NULL),
      '[{"attribute":"title","old":"Ranger","new":"Warden"}]', '[]', 'request-' || i,
      iif(i % 5 = 0, '${OTHER_CLIENT}', '${main?.client}') FROM n`)
  database.exec(`${numbers(logEntries)} INSERT INTO events (tenant_id, seq, type, time, client_id, request_id, resource_id, data,
      previous, total_bytes)
    SELECT 'default', last.seq + i, 'user.updated', ${time}, '${main?.client}', 'request-' || i,
      printf('01900000-0000-7000-8000-1%011d', i % ${users} + 1), '{"title":"Warden"}', '{"title":"Ranger"}', last.bytes + i * 38
    FROM n, (SELECT coalesce(max(seq), 0) AS seq, coalesce(max(total_bytes), 0) AS bytes FROM events WHERE tenant_id = 'default') AS last`)
  const contacts = JSON.stringify([now - DAY_MS, now - DAY_MS / 2])
  database.exec(
    `UPDATE clients SET last_provisioning_at = ${now}, contacts = '${contacts}' WHERE tenant_id = 'default'`,
  )
}

function numbers(count: number): string {
  return `WITH RECURSIVE n (i) AS (SELECT 1 WHERE ${count} > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`
}

/** What the server writes. @throws {Error} with an answer that is not expected */
export async function makeScene({ port }: Peer, { token, size }: Directory): Promise<Scene> {
  const origin = `http://127.0.0.1:${port}`
  const call = async (
    method: string,
    path: string,
    bearer: string,
    body?: unknown,
    allowed: readonly number[] = [],
  ) => {
    const headers = {
      Authorization: `Bearer ${bearer}`,
      'Content-Type': path.startsWith('/scim') ? 'application/scim+json' : 'application/json',
    }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(`${origin}${path}`, { method, headers, ...sent })
    const text = await answer.text()
    if (!answer.ok && !allowed.includes(answer.status))
      throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? {} : JSON.parse(text)
  }
  const admin = (method: string, path: string, body?: unknown) =>
    call(method, `/admin/api${path}`, ADMIN_TOKEN, body)
  const inTenant = (method: string, path: string, body?: unknown) =>
    admin(method, `/tenants/default${path}`, body)

  const other = await inTenant('POST', '/tokens', { name: 'Okta' })
  const secret = await inTenant('POST', `/clients/${other.clientId}/secrets`, {})
  await inTenant('PUT', `/clients/${other.clientId}/federation`, {
    issuer: 'https://issuer.quillfern.example',
    jwksUri: 'https://login.microsoftonline.com/common/discovery/v2.0/keys',
    subject: 'bench',
    audiences: ['https://scim.quillfern.example'],
  })
  await inTenant('PUT', `/schemas/${SCHEMA}`, {
    attributes: [{ name: 'badge', type: 'string', multiValued: false }],
  })
  const adminToken = await admin('POST', '/administrators/tokens', {
    name: 'Second',
    role: 'viewer',
    tenants: null,
    expiresAt: null,
  })

  const user = (userName: string, externalId: string) => ({ schemas: [USER], userName, externalId })
  const scim = (method: string, path: string, bearer: string, body?: unknown, allowed?: readonly number[]) =>
    call(method, `/scim/v2${path}`, bearer, body, allowed)
  const setTitle = (id: string, bearer: string, value: string) =>
    scim('PATCH', `/Users/${id}`, bearer, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'title', value }],
    })
  const from = new Date().toISOString()
  let deletedId = ''
  for (let i = 1; i <= CONFLICTS; i++)
    await scim('POST', '/Users', other.token, user(`double-${i}`, `person-${i}`))
  for (let i = 1; i <= DELETED; i++) {
    deletedId = userId(size.users - i)
    await scim('DELETE', `/Users/${deletedId}`, token)
  }
  const changedId = userId(size.users)
  for (let i = 1; i <= CHANGES; i++)
    await setTitle(changedId, i % 2 === 0 ? token : other.token, `Ranger ${i}`)
  await scim('POST', '/Users', other.token, user('person-1@quillfern.example', 'refused'), [409])
  await scim('PATCH', `/Groups/${groupId(1)}`, other.token, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'remove', path: `members[value eq "${userId(2)}"]` }],
  })
  const to = new Date().toISOString()
  await setTitle(userId(3), token, 'Warden')
  const { entries } = await inTenant('GET', '/log?outcome=refused')
  const { entries: accepted } = await inTenant('GET', `/log?resourceType=User`)
  const { tokens } = await inTenant('GET', '/tokens')
  const main = tokens.find(({ name }: { name: string }) => name === 'Benchmark')
  const undo = await inTenant('POST', '/undo', {
    clientId: main.clientId,
    from: to,
    to: new Date().toISOString(),
  })
  const webhook = await inTenant('POST', '/webhooks', { url: 'https://receiver.quillfern.example/events' })
  return {
    users: size.users,
    clientId: other.clientId,
    tokenId: other.id,
    secretId: secret.id,
    adminTokenId: adminToken.id,
    webhookId: webhook.id,
    ...{ deletedId, changedId, mainClientId: main.clientId, otherClientId: other.clientId },
    ...{ undoId: undo.id, undoFrom: from, undoTo: to, schema: SCHEMA },
    logEntryId: accepted[0].id,
    refusedEntryId: entries[0].id,
    // A log that is nearly full keeps no requests.
    explainedEntryId: entries.find(({ request }: { request: unknown }) => request != null)?.id,
  }
}
