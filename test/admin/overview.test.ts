/**
 * The overview of each connection: its state, its last request, its cycle, its refusals, and what it never says. The clock
 * moves by call.
 */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, releaseClock, resumeIds, setClock } from '../support/clock.ts'
import { addLogEntries } from '../support/crowd.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { refuseAccess } from '../support/failed-access.ts'
import { Client, costOf, newClient, newToken, USER } from '../support/harness.ts'

const MINUTE_MS = 60_000

beforeEach(() => setClock(Date.now()))
afterEach(releaseClock)
afterAll(resumeIds)

function pass(ms: number): void {
  setClock(Date.now() + ms)
}

/** A tenant whose only client that may write has that name. */
async function newNamed(name: string) {
  const { tenantId } = await newClient({ scope: 'read' })
  const { token, clientId } = await newToken(tenantId, { name })
  return Object.assign(new Client(tenantId, token), { clientId: String(clientId) })
}

async function pageOf({ tenantId }: { readonly tenantId: string }) {
  const page = await (await new Browser().signIn()).get(`/admin/tenants/${tenantId}`)
  return { ...page, text: textOf(page.html) }
}

const textOfOverview = async (client: Client) => (await pageOf(client)).text

/** The text about one connection. */
async function connectionText(client: Client, name: string): Promise<string> {
  const { html } = await pageOf(client)
  const list = /<ul class="connections">([\s\S]*?)<section/.exec(html)?.[1] ?? ''
  const texts = list.split('<h3 class="connection-head">').map(textOf)
  return texts.find((text) => text.includes(name)) ?? ''
}

const match = (client: Client) => client.filter('/Users', 'userName eq "nobody@quillfern.example"')
const refused = (client: Client) => client.request('POST', '/Users', { schemas: [USER], userName: '' })

describe('the overview', () => {
  it('takes no read with a read token for a connection', async () => {
    const reader = await newClient({ scope: 'read' })
    await match(reader)
    const text = await textOfOverview(reader)
    expect(text).toContain('No client may provision.')
    for (const claim of ['Just now', 'Healthy', 'Entra', 'expected']) expect(text).not.toContain(claim)
    const { token } = await newToken(reader.tenantId, { name: 'Microsoft Entra ID' })
    await match(reader)
    const waiting = await textOfOverview(reader)
    expect(waiting).toContain('Microsoft Entra ID New')
    expect(waiting).toContain('No provisioning request has been seen yet.')
    expect(waiting).not.toContain('Just now')
    await match(new Client(reader.tenantId, token))
    expect(await textOfOverview(reader)).toContain('Last provisioning request: Just now')
  })

  it.for(['Okta', 'Central Okta', 'OneLogin', 'Okta, after Entra'])(
    'never warns a tenant of Entra whose only client is %s, silent or refused',
    async (name) => {
      const client = await newNamed(name)
      for (let i = 0; i < 12; i++) await refused(client)
      const claims = /entra (?!\b)|quarantine|40 minutes|entra usually/i
      const bodyOf = (text: string) => text.replaceAll(name, '')
      const failing = bodyOf(await textOfOverview(client))
      expect(failing).toContain('Failing')
      expect(failing).not.toMatch(claims)
      pass(3 * HOUR_MS)
      expect(bodyOf(await textOfOverview(client))).not.toMatch(claims)
      pass(4 * DAY_MS)
      const silent = bodyOf(await textOfOverview(client))
      expect(silent).toContain('Silent')
      expect(silent).toContain('whether provisioning is still on')
      expect(silent).not.toMatch(claims)
    },
  )

  it('claims no cadence after one cycle, and the observed one after four', async () => {
    const client = await newNamed('Microsoft Entra ID')
    await match(client)
    expect(await textOfOverview(client)).toContain(
      'Entra usually comes every 40 minutes; this has not been observed yet.',
    )
    for (let i = 0; i < 3; i++) {
      pass(HOUR_MS)
      await match(client)
    }
    expect(await textOfOverview(client)).toContain('It usually comes every hour.')
  })

  it('has the cycle of each connection: created, updated and refused so far', async () => {
    const okta = await newNamed('Okta')
    const { token } = await newToken(okta.tenantId, { name: 'Microsoft Entra ID' })
    const entra = new Client(okta.tenantId, token)
    await okta.createUser()
    pass(30 * MINUTE_MS)
    const user = await entra.createUser()
    await entra.createUser()
    await entra.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Pilot' })
    await entra.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
    await refused(entra)
    await entra.filter('/Users', 'userName is')
    expect(await connectionText(okta, 'Microsoft Entra ID')).toContain(
      'This cycle began just now . 2 created, 1 updated, 1 disabled, 2 refused so far.',
    )
    const other = await connectionText(okta, 'Okta')
    expect(other).toContain('The last cycle began 30 minutes ago . 1 created, 0 updated, 0 refused .')
    pass(40 * MINUTE_MS)
    await match(entra)
    expect(await connectionText(okta, 'Microsoft Entra ID')).toContain(
      '0 created, 0 updated, 0 refused so far',
    )
  })

  it('counts a long cycle by the hours of all clients, and says so', async () => {
    const client = await newNamed('Microsoft Entra ID')
    await client.createUser()
    await addLogEntries(client.tenantId, 500, Date.now() + 1)
    pass(MINUTE_MS)
    expect(await connectionText(client, 'Microsoft Entra ID')).toMatch(
      /Of all clients since \d\d:\d\d : 1 created, 500 updated, 0 refused so far/,
    )
  })

  it('has the refusals of each connection by reason, with what to do', async () => {
    const client = await newNamed('Okta')
    const { userName } = await client.createUser()
    for (let i = 0; i < 2; i++) await client.request('POST', '/Users', { schemas: [USER], userName })
    await refused(client)
    await refuseAccess(client.tenantId, 'unknown', { count: 7 })
    const text = await connectionText(client, 'Okta')
    expect(text).toContain('3 requests were refused in the last 24 hours.')
    expect(text).toContain(`409 uniqueness userName "${userName}" is already in use`)
    expect(text).toContain('Find the resource that has it.')
    expect(text.indexOf('409 uniqueness')).toBeLessThan(text.indexOf('400 invalidValue'))
    const { text: all } = await pageOf(client)
    expect(all).toContain('Unknown clients 7 requests were refused in the last 24 hours.')
  })

  it('takes no refused read for a refused write', async () => {
    const client = await newNamed('Microsoft Entra ID')
    await match(client)
    for (let i = 0; i < 15; i++) await client.filter('/Users', 'userName is')
    const text = await textOfOverview(client)
    expect(text).toContain('15 requests were refused')
    expect(text).not.toContain('Failing')
    expect(text).not.toContain('puts a provisioning job into quarantine')
  })

  it('warns before a connection ends with its last credential', async () => {
    const { tenantId } = await newClient({ scope: 'read' })
    const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString()
    const { token, clientId } = await newToken(tenantId, { name: 'Okta', expiresAt: at(5) })
    const client = new Client(tenantId, token)
    expect(await connectionText(client, 'Okta')).toContain('Its last valid credential expires:')
    await newToken(tenantId, { name: 'Second', clientId, expiresAt: at(300) })
    expect(await connectionText(client, 'Okta')).not.toContain('Its last valid credential expires:')
    pass(301 * DAY_MS)
    expect(await connectionText(client, 'Okta')).toContain('It has no valid token or client secret.')
  })

  it('reads at most 200 rows in one round trip with a long log', async () => {
    const client = await newNamed('Microsoft Entra ID')
    pass(-DAY_MS)
    for (let i = 0; i < 45; i++) {
      pass(DAY_MS / 46)
      await refused(client)
      await addLogEntries(client.tenantId, 100, Date.now())
    }
    const page = await pageOf(client)
    const { roundTrips, rowsRead } = costOf({ ...page, body: '' })
    expect([roundTrips, rowsRead <= 200, rowsRead]).toEqual([1, true, rowsRead])
  })
})
