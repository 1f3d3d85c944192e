/**
 * A third resource type is data and one migration. A "Device", which is not shipped, supports everything that a user
 * does, without a change in src/. See support/device.ts.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../../src/app.ts'
import { runJob } from '../../../src/provider/jobs/runner.ts'
import type { OpenDatabase } from '../../../src/runtime.ts'
import { groupWriters } from '../../../src/self-hosted/group-writers.ts'
import { noFigures, openDatabase } from '../../../src/storage/database/database.ts'
import { Browser, textOf } from '../../support/dashboard.ts'
import { DEVICE, DEVICE_MIGRATION, TYPES_WITH_DEVICE } from '../../support/device.ts'
import { answerOf, Client, costOf, newClient, ORIGIN, RANGE_ENDS } from '../../support/harness.ts'
import { labRuntime } from '../../support/lab.ts'
import { noting } from '../../support/query-plans.ts'
import { BULK_REQUEST, GROUP, PATCH_OP, SEARCH_REQUEST, USER } from '../../support/urns.ts'

const app = createApp({ resourceTypes: TYPES_WITH_DEVICE })
/** A separate database, because it has additional tables. */
const DB = env.TEST_DEVICES
const openDevices: OpenDatabase = (_name, figures) => openDatabase(DB, figures)
const groupWriter = groupWriters({
  openDatabase: openDevices,
  resourceTypes: TYPES_WITH_DEVICE,
  newId: uuidv7,
  wakeJobs: async () => undefined,
  now: Date.now,
})
const runtime = labRuntime({ openDatabase: openDevices, groupWriter })
const sendToApp = (request: Request) => answerOf(request, (sent) => app.fetch(sent, runtime))

async function newDeviceClient(): Promise<Client> {
  const id = `t-${crypto.randomUUID()}`
  expect((await admin('POST', '/tenants', JSON.stringify({ id, name: 'Test' }))).status).toBe(201)
  const { body } = await admin(
    'POST',
    `/tenants/${id}/tokens`,
    JSON.stringify({ name: 'Test', scope: 'provision' }),
  )
  return new Client(id, body.token, sendToApp)
}

async function admin(method: string, path: string, body?: string, send = sendToApp) {
  const type = path.endsWith('/import') ? 'application/jsonl' : 'application/json'
  const headers = { Authorization: 'Bearer test-admin-token', 'Content-Type': type }
  return await send(new Request(`${ORIGIN}/admin/api${path}`, { method, headers, ...(body && { body }) }))
}

const device = (serialNumber: string, more: Record<string, unknown> = {}) => ({
  schemas: [DEVICE],
  displayName: `Device ${serialNumber}`,
  serialNumber,
  ...more,
})

async function createDevice(client: Client, serialNumber: string, more?: Record<string, unknown>) {
  const answer = await client.request('POST', '/Devices', device(serialNumber, more))
  expect(answer.status).toBe(201)
  return answer.body
}

const serialsOf = (body: { Resources: readonly { serialNumber?: string; userName?: string }[] }) =>
  body.Resources.map(({ serialNumber, userName }) => serialNumber ?? userName)

const filtered = (filter: string, more = '') => `/Devices?filter=${encodeURIComponent(filter)}${more}`

let client: Client
beforeAll(async () => {
  for (const db of [DB, env.TEST_DEVICES2]) await db.batch(DEVICE_MIGRATION.map((text) => db.prepare(text)))
  client = await newDeviceClient()
  for (const [i, name] of ['Delta', 'alpha', 'Charlie', 'bravo'].entries()) {
    await createDevice(client, `S${i}`, {
      displayName: name,
      externalId: `e${i}`,
      memory: 1024 * i,
      model: 'X',
    })
  }
})

describe('a resource type that is not shipped', () => {
  it('is served by no other app', async () => {
    expect((await (await newClient()).get('/Devices')).status).toBe(404)
  })

  it('is created, read, changed, replaced and deleted within the budget of round trips', async () => {
    const created = await client.request('POST', '/devices', device('L1', { model: 'Y', extra: 1 }))
    const { id, meta } = created.body
    expect(created.status).toBe(201)
    expect(meta).toMatchObject({ resourceType: 'Device', version: 'W/"1"' })
    expect(created.headers.get('Location')).toBe(`${ORIGIN}/scim/v2/Devices/${id}`)
    expect(meta.location).toBe(created.headers.get('Location'))
    expect(created.headers.get('ETag')).toBe('W/"1"')

    const read = await client.get(`/Devices/${id}?attributes=model`)
    expect(read.body).toEqual({ schemas: [DEVICE], id, model: 'Y' })
    expect((await client.get(`/Devices/${id}`, { 'If-None-Match': 'W/"1"' })).status).toBe(304)

    const patched = await client.patch(
      `/Devices/${id}`,
      { op: 'replace', path: 'model', value: 'Z' },
      { op: 'add', path: 'addresses[type eq "wired"].value', value: '192.0.2.1' },
    )
    expect(patched.status).toBe(200)
    expect(patched.body).toMatchObject({ model: 'Z', addresses: [{ type: 'wired', value: '192.0.2.1' }] })
    const message = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'model', value: 'late' }] }
    const late = await client.request('PATCH', `/Devices/${id}`, message, { 'If-Match': 'W/"1"' })
    expect(late.status).toBe(412)
    const replaced = await client.request('PUT', `/Devices/${id}`, device('L1', { memory: 7 }))
    expect(replaced.body).toMatchObject({ memory: 7, meta: { version: 'W/"3"' } })
    expect(replaced.body).not.toHaveProperty('model')
    const deleted = await client.request('DELETE', `/Devices/${id}`)
    expect(deleted.status).toBe(204)
    expect((await client.get(`/Devices/${id}`)).status).toBe(404)

    expect(costOf(read).roundTrips).toBe(1)
    for (const write of [created, patched, replaced, deleted])
      expect(costOf(write).roundTrips).toBeLessThan(3)
    const log = await admin('GET', `/tenants/${client.tenantId}/log`)
    expect(log.body.entries).toMatchObject([
      { resourceType: 'Device', action: 'delete', resourceName: 'Device L1', status: 204 },
      { action: 'update', status: 200 },
      { action: 'update', outcome: 'refused', status: 412 },
      { action: 'update', changes: [{ attribute: 'model', old: 'Y', new: 'Z' }, { attribute: 'addresses' }] },
      { action: 'create', resourceId: id, resourceName: 'Device L1', ignored: ['extra'] },
      ...Array.from({ length: 4 }, () => ({ resourceType: 'Device', action: 'create' })),
    ])
  })

  it('is validated by its schema, and unique in the attribute that the schema names', async () => {
    const missing = await client.request('POST', '/Devices', { schemas: [DEVICE], serialNumber: 'M1' })
    expect([missing.status, missing.body.scimType]).toEqual([400, 'invalidValue'])
    expect(missing.body.detail).toContain('"displayName"')
    const taken = await client.request('POST', '/Devices', device('S0'))
    expect([taken.status, taken.body.scimType, taken.body.detail]).toEqual([
      409,
      'uniqueness',
      'serialNumber "S0" is already in use',
    ])
    // Its serial numbers are caseExact.
    const { id } = await createDevice(client, 's0')
    const renamed = await client.patch(`/Devices/${id}`, { op: 'replace', path: 'serialNumber', value: 'S1' })
    expect(renamed.status).toBe(409)
    const log = `/tenants/${client.tenantId}/log?outcome=refused&resourceType=Device`
    const [refused] = (await admin('GET', log)).body.entries
    expect(refused).toMatchObject({ resourceType: 'Device', action: 'update', scimType: 'uniqueness' })
    expect((await client.request('DELETE', `/Devices/${id}`)).status).toBe(204)
  })

  it('has events of its own types, without activation and members', async () => {
    const client = await newDeviceClient()
    const user = await client.createUser()
    await client.createGroup({ members: [{ value: user.id }] })
    const { body } = await client.feed('?after=now')
    const { id } = await createDevice(client, 'E1', { externalId: 'e1' })
    await client.patch(`/Devices/${id}`, { op: 'replace', path: 'memory', value: 512 })
    await client.request('DELETE', `/Devices/${id}`)
    const known = { id, externalId: 'e1', displayName: 'Device E1', nativeObjectId: null }
    const after = (
      await client.feed(`?after=${body.cursor}&types=device.created,device.updated,device.deleted`)
    ).body
    expect(after.events).toMatchObject([
      { type: 'device.created', data: { ...known, version: 1, attributes: { serialNumber: 'E1' } } },
      {
        type: 'device.updated',
        data: { ...known, version: 2, changed: ['memory'], attributes: { memory: 512 } },
      },
      { type: 'device.deleted', data: { ...known, version: 2 } },
    ])
    expect((await client.feed('?types=group.members_added')).body.events[0].data.members).toMatchObject([
      { id: user.id, type: 'User', userName: user.userName },
    ])
    const { error } = (await client.feed('?types=device.activated')).body
    expect(error.message).toContain('user.activated')
    expect(error.message).not.toMatch(/use .*device\.(activated|members_added)/)
  })

  it('belongs to its tenant, and is not a user, a group or a member', async () => {
    const { id } = (await client.get(filtered('serialNumber eq "S0"'))).body.Resources[0]
    const other = await newDeviceClient()
    for (const path of [`/Devices/${id}`]) expect((await other.get(path)).status).toBe(404)
    for (const path of [`/Users/${id}`, `/Groups/${id}`]) expect((await client.get(path)).status).toBe(404)
    const change = { op: 'replace', path: 'title', value: 'x' }
    expect((await client.patch(`/Users/${id}`, change)).status).toBe(404)
    const body = { schemas: [GROUP], displayName: 'Machines', members: [{ value: id }] }
    const group = await client.request('POST', '/Groups', body)
    expect([group.status, group.body.scimType]).toEqual([400, 'invalidValue'])
  })
})

describe('lists of it', () => {
  it.for<[filter: string, serials: readonly string[]]>([
    ['displayName eq "ALPHA"', ['S1']],
    ['serialNumber sw "S" and memory gt 1024', ['S2', 'S3']],
    ['serialNumber eq "S1" or externalId eq "e3"', ['S1', 'S3']],
    ['not (displayName co "a")', []],
    ['meta.resourceType eq "Device" and memory lt 1', ['S0']],
    ['addresses.value pr', []],
  ])('are filtered: %s', async ([filter, serials]) => {
    const { status, body } = await client.get(filtered(filter))
    expect([status, serialsOf(body), body.totalResults]).toEqual([200, serials, serials.length])
  })

  it.for<[sort: string, serials: readonly string[]]>([
    ['displayName', ['S1', 'S3', 'S2', 'S0']],
    ['serialNumber&sortOrder=descending', ['S3', 'S2', 'S1', 'S0']],
    ['memory', ['S0', 'S1', 'S2', 'S3']],
    ['meta.lastModified', ['S0', 'S1', 'S2', 'S3']],
  ])('are sorted by %s, and read by cursor', async ([sort, serials]) => {
    expect(serialsOf((await client.get(`/Devices?sortBy=${sort}`)).body)).toEqual(serials)
    const walked: unknown[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { body } = await client.get(`/Devices?sortBy=${sort}&count=3&cursor=${cursor}`)
      walked.push(...serialsOf(body))
      cursor = body.nextCursor
    }
    expect(walked).toEqual(serials)
  })

  it.for<[path: string, index: RegExp]>([
    ['/Devices/some-id', /devices USING INDEX sqlite_autoindex_devices_1 \(tenant_id=\? AND id=\?\)/],
    [
      filtered('serialNumber eq "x"'),
      /devices USING INDEX devices_by_serial_number \(tenant_id=\? AND serial_number=\?\)/,
    ],
    [filtered('displayName sw "x"'), /devices USING INDEX devices_by_name/],
    [filtered('externalId eq "x"'), /devices USING INDEX devices_by_external_id/],
    [filtered('serialNumber eq "x" or externalId eq "y"'), /devices USING INDEX devices_by_external_id/],
    [filtered('meta.lastModified gt "2026-01-01T00:00:00Z"'), /INDEX devices_by_modified/],
    ['/Devices?sortBy=displayName', /devices USING (COVERING )?INDEX devices_by_name/],
  ])('are found by an index: %s', async ([path, index]) => {
    const { binding, plans } = noting(DB)
    const noted = labRuntime({ openDatabase: (_name, figures) => openDatabase(binding, figures) })
    const url = `${ORIGIN}/scim/v2${path}`
    const request = new Request(url, { headers: { Authorization: `Bearer ${client.token}` } })
    expect([200, 404]).toContain((await answerOf(request, (sent) => app.fetch(sent, noted))).status)
    const steps = await plans()
    expect(steps.join('\n')).toMatch(index)
    expect(steps.filter((step) => /^SCAN devices\b/.test(step))).toEqual([])
  })

  it('read as many rows as those of users, and only rows of the page', async () => {
    const { rowsRead, roundTrips } = costOf(await client.get(filtered('serialNumber eq "S2"')))
    await client.request('POST', '/Users', { schemas: [USER], userName: 'S2' })
    const users = costOf(await client.get(`/Users?filter=${encodeURIComponent('userName eq "S2"')}`))
    expect(roundTrips).toBe(1)
    expect(rowsRead).toBeLessThanOrEqual(users.rowsRead + RANGE_ENDS)
  })

  it('are refused when they would take too long, with the names of the type', async () => {
    const large = await newDeviceClient()
    await DB.prepare('UPDATE tenants SET device_count = 100000000 WHERE id = ?').bind(large.tenantId).run()
    const { status, body } = await large.get(filtered('model co "x"'))
    expect([status, body.scimType]).toEqual([400, 'tooMany'])
    expect(body.detail).toContain(
      '(displayName, id, serialNumber and externalId with eq or sw, meta.lastModified)',
    )
    expect((await large.get(filtered('serialNumber eq "x"'))).status).toBe(200)
  })

  it('contain all types at the root, and only this type at its endpoint', async () => {
    const own = await newDeviceClient()
    await own.createUser({ userName: 'b', externalId: 'same' })
    await own.createGroup({ displayName: 'c', externalId: 'same' })
    await createDevice(own, 'A', { externalId: 'same', displayName: 'a' })
    const message = { schemas: [SEARCH_REQUEST], filter: 'externalId eq "same"', sortBy: 'displayName' }
    const found = await own.request('POST', '/.search', message)
    expect(
      found.body.Resources.map((it: { meta: { resourceType: string } }) => it.meta.resourceType),
    ).toEqual(['Device', 'Group', 'User'])
    expect((await own.get('?filter=serialNumber%20pr')).body.totalResults).toBe(1)
    const alone = await own.request('POST', '/Devices/.search', { schemas: [SEARCH_REQUEST] })
    expect(serialsOf(alone.body)).toEqual(['A'])
  })

  it('are cut at the size limit of a page', async () => {
    const own = await newDeviceClient()
    const addresses = Array.from({ length: 90 }, (_, i) => ({ value: `${i}-${'x'.repeat(900)}` }))
    for (let i = 0; i < 70; i++) await createDevice(own, `L${String(i).padStart(3, '0')}`, { addresses })
    const { body } = await own.get('/Devices?count=100')
    expect(body.totalResults).toBe(70)
    expect(body.itemsPerPage).toBeLessThan(70)
    const rest = await own.get(`/Devices?startIndex=${body.itemsPerPage + 1}&count=100`)
    expect(serialsOf(rest.body)[0]).toBe(`L${String(body.itemsPerPage).padStart(3, '0')}`)
  }, 60_000)
})

describe('an extension schema of it', () => {
  const HW = 'urn:example:hardware:2.0:Device'
  const FLOOR = { name: 'floor', type: 'integer', indexed: true }
  const BADGES = { name: 'badges', multiValued: true }
  let own: Client
  const schemaPath = () => `/tenants/${own.tenantId}/schemas/${HW}`
  const put = async (...attributes: readonly unknown[]) =>
    await admin('PUT', schemaPath(), JSON.stringify({ attributes }))
  const numbered = (i: number, more: Record<string, unknown>) =>
    createDevice(own, `H${i}`, { schemas: [DEVICE, HW], [HW]: more })

  beforeAll(async () => {
    own = await newDeviceClient()
    expect(await put(BADGES, { name: 'floor', type: 'integer' })).toMatchObject({
      status: 201,
      body: { resourceType: 'Device', state: 'active' },
    })
    for (const [i, floor] of [3, 1, 2].entries()) await numbered(i, { floor, badges: [`B${i}`] })
  })

  it('validates its attributes', async () => {
    const answer = await own.request('POST', '/Devices', device('H9', { [HW]: { floor: 'top' } }))
    expect([answer.status, answer.body.scimType]).toEqual([400, 'invalidValue'])
    expect(answer.body.detail).toContain(`"${HW}:floor"`)
  })

  it('filters, sorts, projects and patches them, also by an index that is added later', async () => {
    const at = async (path: string) => serialsOf((await own.get(path)).body)
    const answers = async () => [
      await at(filtered(`${HW}:floor gt 1`, `&sortBy=${HW}:floor`)),
      await at(filtered(`${HW}:badges eq "b1"`)),
      await at(`/Devices?sortBy=${HW}:floor&sortOrder=descending`),
    ]
    const expected = [['H2', 'H0'], ['H1'], ['H0', 'H2', 'H1']]
    expect(await answers()).toEqual(expected)
    const changed = await put(BADGES, FLOOR)
    expect([changed.status, changed.body.indexes]).toEqual([200, [{ attribute: 'floor', state: 'ready' }]])
    expect(await answers()).toEqual(expected)
    const [{ id }] = (await own.get(filtered(`${HW}:floor eq 2`))).body.Resources
    const patched = await own.patch(`/Devices/${id}`, { op: 'replace', path: `${HW}:floor`, value: 7 })
    expect(patched.body[HW]).toEqual({ floor: 7, badges: ['B2'] })
    expect(await at(filtered(`${HW}:floor eq 7`))).toEqual(['H2'])
    expect((await own.get(`/Devices/${id}?attributes=${HW}:floor`)).body).toEqual({
      schemas: [DEVICE, HW],
      id,
      [HW]: { floor: 7 },
    })
    expect((await own.patch(`/Devices/${id}`, { op: 'replace', path: `${HW}:floor`, value: 2 })).status).toBe(
      200,
    )
  })

  it('uses the index', async () => {
    const { binding, plans } = noting(DB)
    const noted = labRuntime({ openDatabase: (_name, figures) => openDatabase(binding, figures) })
    const url = `${ORIGIN}/scim/v2${filtered(`${HW}:floor eq 2`)}`
    const request = new Request(url, { headers: { Authorization: `Bearer ${own.token}` } })
    expect((await answerOf(request, (sent) => app.fetch(sent, noted))).body.totalResults).toBe(1)
    expect((await plans()).join('\n')).toMatch(/devices USING INDEX devices_by_x1/)
  })

  it('is described to clients of the tenant, and to no others', async () => {
    const { schemaExtensions } = (await own.get('/ResourceTypes/Device')).body
    expect(schemaExtensions).toEqual([{ schema: HW, required: false }])
    expect((await own.get(`/Schemas/${HW}`)).body.attributes).toMatchObject([
      { name: 'badges' },
      { name: 'floor' },
    ])
    const headers = { Authorization: `Bearer ${own.token}` }
    const { body } = await sendToApp(new Request(`${ORIGIN}/openapi.json`, { headers }))
    const { Device, ExtensionSchema } = body.components.schemas
    expect(Device.properties[HW].properties.floor.type).toBe('integer')
    expect(ExtensionSchema.properties.resourceType.enum).toEqual(['User', 'Group', 'Device'])
    expect((await client.get(`/Schemas/${HW}`)).status).toBe(404)
  })

  it('does not change the meaning of stored values', async () => {
    const { status, body } = await put(BADGES, { name: 'floor' })
    expect([status, body.error.field]).toEqual([400, 'attributes[1].type'])
    expect(body.error.message).toContain('resources have values for it')
  })

  it('is imported for a type that the request names', async () => {
    const path = `/tenants/${own.tenantId}/schemas`
    const schema = JSON.stringify({ id: 'urn:example:site', attributes: [{ name: 'site' }] })
    const unnamed = await admin('POST', path, schema)
    expect(unnamed.body.error.message).toContain('"?resourceType=Group" or "?resourceType=Device"')
    const unknown = await admin('POST', `${path}?resourceType=Machine`, schema)
    expect(unknown.body.error.message).toBe(
      '"resourceType" must be "User", "Group" or "Device", found "Machine"',
    )
    const { body } = await admin('POST', `${path}?resourceType=Device`, schema)
    expect(body.schemas).toMatchObject([{ id: 'urn:example:site', resourceType: 'Device' }])
    expect((await admin('DELETE', `${path}/urn:example:site`)).status).toBe(204)
  })

  it('is exported and imported with the values', async () => {
    const file = String((await admin('GET', `/tenants/${own.tenantId}/export`)).body)
    const to = await newDeviceClient()
    expect((await admin('POST', `/tenants/${to.tenantId}/import`, file)).status).toBe(200)
    expect(serialsOf((await to.get(filtered(`${HW}:floor ge 2`))).body)).toEqual(['H0', 'H2'])
  })

  it('is added on the dashboard', async () => {
    const browser = await new Browser(sendToApp).signIn()
    const path = `/admin/tenants/${own.tenantId}/schemas`
    expect((await browser.get(path)).html).toContain('<option value="Device">Device</option>')
    const document = JSON.stringify({ id: 'urn:example:room', attributes: [{ name: 'room' }] })
    expect((await browser.post(path, { document, resourceType: 'Device' })).status).toBe(303)
    expect(textOf((await browser.get(path)).html)).toContain('urn:example:room for Device')
  })

  it('is removed, with its values if so requested', async () => {
    const deleted = await admin('DELETE', `${schemaPath()}?purge=true`)
    expect(deleted.status).toBe(204)
    const { body } = await own.get('/Devices')
    expect(body.Resources.map((resource: object) => Object.hasOwn(resource, HW))).toEqual([
      false,
      false,
      false,
    ])
    const left = await DB.prepare(
      `SELECT count(*) AS n FROM devices WHERE tenant_id = ? AND data LIKE '%badges%'`,
    )
      .bind(own.tenantId)
      .first('n')
    expect(left).toBe(0)
  })
})

describe('the rest of the service', () => {
  it('describes it', async () => {
    const types = (await client.get('/ResourceTypes')).body.Resources
    expect(types.map(({ name }: { name: string }) => name)).toEqual([
      'User',
      'Group',
      'Device',
      'GroupMembership',
    ])
    expect((await client.get('/ResourceTypes/Device')).body).toMatchObject({
      endpoint: '/Devices',
      schema: DEVICE,
      schemaExtensions: [],
    })
    const { attributes } = (await client.get(`/Schemas/${DEVICE}`)).body
    expect(attributes.map(({ name }: { name: string }) => name)).toContain('serialNumber')
    const { paths, components, tags } = (await sendToApp(new Request(`${ORIGIN}/openapi.json`))).body
    expect(paths['/scim/v2/Devices/{id}'].patch.operationId).toBe('patchDevice')
    expect(components.schemas.Device.properties.serialNumber['x-scim-uniqueness']).toBe('server')
    expect(components.schemas.Resource.anyOf).toHaveLength(3)
    expect(tags[2]).toEqual({ name: 'Devices', description: 'Device' })
  })

  it('runs bulk operations on it', async () => {
    const own = await newDeviceClient()
    const operations = [
      { method: 'POST', path: '/Devices', bulkId: 'd', data: device('B1') },
      {
        method: 'PATCH',
        path: '/devices/bulkId:d',
        data: { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'model', value: 'M' }] },
      },
      { method: 'DELETE', path: '/Machines/1' },
    ]
    const { body } = await own.request('POST', '/Bulk', { schemas: [BULK_REQUEST], Operations: operations })
    expect(body.Operations.map(({ status }: { status: string }) => status)).toEqual(['201', '200', '404'])
    expect((await own.get('/Devices')).body.Resources).toMatchObject([{ serialNumber: 'B1', model: 'M' }])
  })

  it('exports it, imports it, and deletes it with its tenant', async () => {
    const from = await newDeviceClient()
    const user = await from.createUser({ active: true })
    await from.createGroup({ members: [{ value: user.id }] })
    const made = await createDevice(from, 'T1', { model: 'M' })
    const file = String((await admin('GET', `/tenants/${from.tenantId}/export`)).body)
    const lines = file
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ kind }) => kind)).toEqual(['user', 'group', 'device', 'membership', 'end'])
    expect(lines.at(-1)).toMatchObject({ users: 1, groups: 1, devices: 1, memberships: 1 })

    const to = await newDeviceClient()
    const imported = await admin('POST', `/tenants/${to.tenantId}/import`, file)
    expect([imported.status, imported.body]).toEqual([
      200,
      { imported: { user: 1, group: 1, device: 1, membership: 1 } },
    ])
    expect((await to.get(`/Devices/${made.id}`)).body).toEqual(made)
    expect((await admin('DELETE', `/tenants/${to.tenantId}`)).status).toBe(204)
    const left = await DB.prepare('SELECT count(*) AS n FROM devices WHERE tenant_id = ?')
      .bind(to.tenantId)
      .first()
    expect(left).toEqual({ n: 0 })
  })

  it('moves it with its tenant to another database', async () => {
    const own = await newDeviceClient()
    const user = await own.createUser()
    await own.createGroup({ members: [{ value: user.id }] })
    for (const serial of ['V1', 'V2', 'V3']) await createDevice(own, serial, { model: 'M' })
    const rowsIn = async (db: D1Database) => {
      const { results } = await db
        .prepare('SELECT * FROM devices WHERE tenant_id = ? ORDER BY id')
        .bind(own.tenantId)
        .all()
      return results
    }
    const before = await rowsIn(DB)
    expect(before).toHaveLength(3)

    const names = ['DB', 'DB2'] as const
    const open: OpenDatabase = (name = 'DB', figures) =>
      openDatabase(name === 'DB' ? DB : env.TEST_DEVICES2, figures)
    const several = labRuntime({ openDatabase: open, groupWriter, databaseNames: names })
    const send = (request: Request) => answerOf(request, (sent) => app.fetch(sent, several))
    const path = `/tenants/${own.tenantId}`
    // A user, a group, a membership, the devices, and the log entries of five requests are processed three times each.
    const started = await admin('POST', `${path}/move`, JSON.stringify({ database: 'DB2' }), send)
    expect([started.status, started.body.progress.total]).toEqual([202, 3 * (1 + 1 + 1 + 3 + 5)])
    const databases = {
      names,
      maxBytes: Number.POSITIVE_INFINITY,
      open: (name: string) => open(name, noFigures()),
    }
    const run = { databases, resourceTypes: TYPES_WITH_DEVICE, maxStatements: 25, now: Date.now }
    while ((await runJob(run, own.tenantId)) !== undefined);

    expect(await rowsIn(env.TEST_DEVICES2)).toEqual(before)
    expect(await rowsIn(DB)).toEqual([])
    const counts = await env.TEST_DEVICES2.prepare('SELECT state, device_count FROM tenants WHERE id = ?')
      .bind(own.tenantId)
      .first()
    expect(counts).toEqual({ state: 'ready', device_count: 3 })
    const moved = new Client(own.tenantId, own.token, send)
    expect(serialsOf((await moved.get('/Devices')).body)).toEqual(['V1', 'V2', 'V3'])
  })

  it('counts it in the size of a database, so that a full one takes no more tenants', async () => {
    const full = await newDeviceClient()
    const names = ['DB', 'DB2'] as const
    const open: OpenDatabase = (name = 'DB', figures) =>
      openDatabase(name === 'DB' ? DB : env.TEST_DEVICES2, figures)
    const several = labRuntime({
      openDatabase: open,
      groupWriter,
      databaseNames: names,
      maxDatabaseBytes: 1e9,
    })
    const send = (request: Request) => answerOf(request, (sent) => app.fetch(sent, several))
    const path = `/tenants/${full.tenantId}/move`
    const count = 'UPDATE tenants SET device_count = ?, device_blocks = ? WHERE id = ?'
    await DB.prepare(count).bind(400_000, 0, full.tenantId).run()
    const move = () => admin('POST', path, JSON.stringify({ database: 'DB2' }), send)
    expect((await move()).status).toBe(202)
    await admin('DELETE', path, undefined, send)
    const other = await newDeviceClient()
    await DB.prepare(count).bind(400_000, 100_000, other.tenantId).run()
    const body = JSON.stringify({ database: 'DB2' })
    const refused = await admin('POST', `/tenants/${other.tenantId}/move`, body, send)
    expect([refused.status, refused.body.error.message]).toEqual([
      409,
      expect.stringContaining('found "DB2": it would hold about 1.2 GB, the limit is 0.9 GB'),
    ])
  })

  it('refuses an import into a tenant that has resources of this type only', async () => {
    const own = await newDeviceClient()
    await createDevice(own, 'I1')
    const { status, body } = await admin('POST', `/tenants/${own.tenantId}/import`, '{}')
    expect([status, body.error]).toEqual([
      409,
      { code: 'conflict', message: `an import requires an empty tenant; "${own.tenantId}" has 1 device` },
    ])
    expect((await own.get('/Devices')).body.totalResults).toBe(1)
  })

  it('shows it on the dashboard', async () => {
    const browser = await new Browser(sendToApp).signIn()
    const path = `/admin/tenants/${client.tenantId}`
    const list = await browser.get(`${path}/devices`)
    expect(textOf(list.html)).toMatch(/Devices 4 .*Search devices .*alpha .*bravo .*Charlie .*Delta/)
    const found = await browser.get(`${path}/devices?q=S2&in=serialNumber`)
    const [, id] = /devices\/([0-9a-f-]{36})"/.exec(found.html) ?? []
    const page = await browser.get(`${path}/devices/${id}`)
    expect(textOf(page.html)).toContain('Charlie')
    expect(page.html).toContain(`href="${path}/devices/${id}">`)
    expect((await browser.get(`${path}/machines`)).status).toBe(404)
    expect(textOf(list.html)).toContain('Overview Connect Users, Groups and Devices API Keys')
    expect(textOf(list.html)).toContain('Users, Groups and Devices What the identity providers have sent.')
    const overview = textOf((await browser.get(path)).html)
    expect(overview).toMatch(/Users \d+ .*Groups \d+ .*Devices 4 Memberships \d+ direct members of groups/)
  })
})
