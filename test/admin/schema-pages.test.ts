/** The Schemas page of the dashboard, in a browser without JavaScript. */
import { describe, expect, it } from 'vitest'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { admin, newClient } from '../support/harness.ts'

const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const SCRIPT = '<script>alert(1)</script>'

async function newSchemasPage() {
  const client = await newClient()
  const browser = await new Browser().signIn()
  const path = `/admin/tenants/${client.tenantId}/schemas`
  return {
    client,
    browser,
    path,
    save: (document: unknown, resourceType = '') =>
      browser.post(path, {
        document: typeof document === 'string' ? document : JSON.stringify(document),
        resourceType,
      }),
    list: async () => (await admin('GET', `/tenants/${client.tenantId}/schemas`)).body.schemas,
  }
}

describe('Schemas', () => {
  it('shows an empty state, and requires sign-in', async () => {
    const { browser, path } = await newSchemasPage()
    expect(textOf((await browser.get(path)).html)).toContain('No extension schemas.')
    expect((await new Browser().get(path)).location).toContain('/admin/sign-in?next=')
  })

  it('adds a schema, shows it, and loads it into the form', async () => {
    const { browser, path, save } = await newSchemasPage()
    const attributes = [
      { name: 'badge', description: SCRIPT, indexed: true },
      { name: 'tags', multiValued: true, caseExact: true },
    ]
    const saved = await save({ id: ACME, description: SCRIPT, attributes })
    expect([saved.status, saved.location]).toEqual([303, `${path}?done=saved`])
    const { html } = await browser.get(`${path}?done=saved`)
    expect(html).not.toContain(SCRIPT)
    const text = textOf(html)
    expect(text).toContain('Custom attributes: 2 of 50. Indexed: 1 of 5.')
    expect(text).toMatch(/acmeUser Active .*badge Indexed string .*tags list of string case matters/)
    const edited = await browser.get(`${path}?urn=${ACME}`)
    expect(textOf(edited.html)).toContain('"name": "badge"')
  })

  it.for<[what: string, document: unknown, message: string]>([
    ['invalid JSON', '{"id":', 'The text is not valid JSON'],
    [
      'a schema that is refused',
      { id: ACME, attributes: [{ name: 'userName' }] },
      '"attributes[0].name" is "userName", which would shadow',
    ],
    [
      'a characteristic that is mistyped',
      { id: ACME, attributes: [{ name: 'a', multivalue: true }] },
      '"attributes[0].multivalue" is not a known member',
    ],
    ['a document without schemas', { Resources: [] }, 'has no extension schemas'],
  ])('repeats %s with the reason', async ([, document, message]) => {
    const { save, list } = await newSchemasPage()
    const page = await save(document)
    expect(page.status).toBe(400)
    const text = textOf(page.html)
    expect(text).toContain(message)
    expect(text).toContain(typeof document === 'string' ? document : JSON.stringify(document))
    expect(await list()).toEqual([])
  })

  it('imports the attribute list of Entra, with notes and the resource type', async () => {
    const { save, list } = await newSchemasPage()
    const page = await save([`${ACME}:badge`, 'urn:ietf:params:scim:schemas:extension:old:2.0:User.tag'])
    expect(page.status).toBe(200)
    expect(textOf(page.html)).toContain('by "urn:ietf:params:scim:schemas:extension:old:2.0:User:tag"')
    expect((await save({ id: 'urn:example:hr', attributes: [{ name: 'a' }] })).status).toBe(400)
    expect((await save({ id: 'urn:example:hr', attributes: [{ name: 'a' }] }, 'Group')).status).toBe(303)
    expect((await list()).map(({ resourceType }: { resourceType: string }) => resourceType)).toEqual([
      'User',
      'User',
      'Group',
    ])
  })

  it('asks for confirmation, removes a schema with or without its values, and adds it again', async () => {
    const { client, browser, path, save, list } = await newSchemasPage()
    await save({ id: ACME, attributes: [{ name: 'badge' }] })
    const user = await client.createUser({ [ACME]: { badge: 'B' } })
    const asked = await browser.get(`${path}/remove?urn=${ACME}`)
    expect(textOf(asked.html)).toContain('Remove “acmeUser”?')
    const urn = fieldValue(asked.html, 'urn')
    const removed = await browser.post(`${path}/remove`, { urn, purge: 'false' })
    expect(removed.location).toBe(`${path}?done=removed`)
    expect(textOf((await browser.get(path)).html)).toContain('Removed, values kept')
    expect((await browser.post(`${path}/restore`, { urn })).status).toBe(303)
    expect((await client.get(`/Users/${user.id}`)).body[ACME]).toEqual({ badge: 'B' })
    expect((await browser.post(`${path}/remove`, { urn, purge: 'true' })).location).toBe(
      `${path}?done=purged`,
    )
    expect(await list()).toEqual([])
    expect((await browser.get(`${path}/remove?urn=${ACME}`)).status).toBe(404)
  })
})
