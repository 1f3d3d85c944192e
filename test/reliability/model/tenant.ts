/**
 * A tenant for the model test: created once with a token for each client, emptied before each sequence, and read
 * completely afterwards. Reads and writes the tables directly, because the stored state is compared.
 */
import { env } from 'cloudflare:workers'
import { RESOURCE_TYPES, typeNamed } from '../../../src/storage/tables/resource-tables.ts'
import { encodeResource } from '../../../src/storage/tables/stored-resources.ts'
import { admin, Client, newClient, newToken } from '../../support/harness.ts'
import { CLIENTS } from './commands.ts'
import type { World } from './state.ts'

type Row = Readonly<Record<string, string | number | null>>

/** All rows of a tenant. */
export interface Stored {
  readonly tenant: Row
  readonly users: readonly Row[]
  readonly groups: readonly Row[]
  readonly memberships: readonly Row[]
  readonly log: readonly Row[]
}

export interface ModelTenant {
  readonly tenantId: string
  readonly clients: readonly Client[]
  /** Ids of the clients' tokens, as in the log. */
  readonly tokenIds: readonly string[]
}

export async function createModelTenant(): Promise<ModelTenant> {
  const first = await newClient()
  const { tenantId } = first
  const more = await Promise.all(Array.from({ length: CLIENTS - 1 }, () => newToken(tenantId)))
  const clients = [first, ...more.map(({ token }) => new Client(tenantId, token))]
  const { tokens } = (await admin('GET', `/tenants/${tenantId}/tokens`)).body
  const ids: readonly string[] = tokens.map(({ id }: { id: string }) => id)
  const known = new Set(more.map(({ id }) => id))
  const firstId = ids.find((id) => !known.has(id)) ?? ''
  return { tenantId, clients, tokenIds: [firstId, ...more.map(({ id }) => id)] }
}

/** Replaces the content of the tenant by the given directory, with its ids. */
export async function fillModelTenant({ tenantId }: ModelTenant, world: World): Promise<void> {
  const clear = ['memberships', 'groups', 'users', 'provisioning_log', 'provisioning_activity']
  const run = (text: string, ...values: readonly (string | number)[]) =>
    env.DB.prepare(text).bind(tenantId, ...values)
  const columns = 'tenant_id, version, created_at, last_modified, id, data, keys'
  await env.DB.batch([
    ...clear.map((table) => run(`DELETE FROM ${table} WHERE tenant_id = ?1`)),
    run('UPDATE tenants SET group_limit = ?2 WHERE id = ?1', world.groupLimit),
    ...[...world.users].map(([id, { userName, title, active }]) => {
      const { data, keys } = encodeResource({ userName, title, active }, typeNamed(RESOURCE_TYPES, 'User'))
      return run(`INSERT INTO users (${columns}) VALUES (?1, 1, 0, 0, ?2, ?3, ?4)`, id, data, keys)
    }),
    ...[...world.groups].map(([id, { displayName, members }]) => {
      const { data, keys } = encodeResource({ displayName }, typeNamed(RESOURCE_TYPES, 'Group'))
      const text = `INSERT INTO groups (${columns}, member_count) VALUES (?1, 1, 0, 0, ?2, ?3, ?4, ?5)`
      return run(text, id, data, keys, members.size)
    }),
    ...[...world.groups].flatMap(([id, { members }]) =>
      [...members].map((member) => {
        const type = world.users.has(member) ? 'User' : 'Group'
        return run('INSERT INTO memberships VALUES (?1, ?2, ?3, ?4, NULL)', id, member, type)
      }),
    ),
  ])
}

export async function readModelTenant({ tenantId }: Pick<ModelTenant, 'tenantId'>): Promise<Stored> {
  const select = (text: string) => env.DB.prepare(text).bind(tenantId)
  const [tenant, users, groups, memberships, log] = await env.DB.batch<Row>([
    select('SELECT * FROM tenants WHERE id = ?1'),
    select('SELECT * FROM users WHERE tenant_id = ?1'),
    select('SELECT * FROM groups WHERE tenant_id = ?1'),
    select('SELECT * FROM memberships WHERE tenant_id = ?1'),
    select('SELECT * FROM provisioning_log WHERE tenant_id = ?1'),
  ])
  return {
    tenant: tenant?.results[0] ?? {},
    users: users?.results ?? [],
    groups: groups?.results ?? [],
    memberships: memberships?.results ?? [],
    log: log?.results ?? [],
  }
}
