/**
 * Rotation of tokens and client secrets in the dashboard: after each order of events, what is valid, what the page says, and
 * what may be done next. No order leaves a client without a credential unless that was said plainly.
 */
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { releaseClock, resumeIds, setClock } from '../support/clock.ts'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { admin, Client, newClient, newToken } from '../support/harness.ts'
import { requestToken } from '../support/oauth.ts'

afterEach(releaseClock)
afterAll(resumeIds)

const DAY_MS = 24 * 60 * 60 * 1000
const KINDS = ['token', 'secret'] as const

/** A credential, and what was shown of it once. */
interface Shown {
  readonly id: string
  /** Its last four characters. */
  readonly end: string
  /** Uses it. @returns whether it is accepted */
  readonly use: () => Promise<boolean>
}

/** A tenant whose client has one credential, and a browser at its page. */
async function newConnection(kind: (typeof KINDS)[number], more: Record<string, string> = {}) {
  const { tenantId } = await newClient()
  const browser = await new Browser().signIn()
  const keys = `/admin/tenants/${tenantId}/api-keys`
  const path = (id: string) => `${keys}/${kind === 'secret' ? 'secrets/' : ''}${id}`

  const shownOn = (id: string, html: string): Shown => {
    const value = (field: string) => new RegExp(`id="${field}"[^>]* value="([^"]*)"`).exec(html)?.[1] ?? ''
    const text = value(kind === 'token' ? 'secret-token' : 'client-secret')
    const form = {
      grant_type: 'client_credentials',
      client_id: value('client-identifier'),
      client_secret: text,
    }
    const use = async () =>
      (kind === 'token' ? await new Client(tenantId, text).get('/Users') : await requestToken(form))
        .status === 200
    return { id, end: text.slice(-4), use }
  }
  const generate = async (fields: Record<string, string> = {}) => {
    const id = crypto.randomUUID()
    const form = { provider: 'other', id, name: 'Entra', scope: 'provision', expires: '', credential: kind }
    return shownOn(id, (await browser.post(keys, { ...form, ...more, ...fields })).html)
  }
  const rotate = async ({ id }: Shown) => {
    const fresh = fieldValue((await browser.get(`${path(id)}/rotate`)).html, 'id')
    const page = await browser.post(`${path(id)}/rotate`, { id: fresh })
    if (page.status !== 201) throw new Error(`not rotated: ${page.status}`)
    return shownOn(fresh, page.html)
  }
  const question = async ({ id }: Shown) => await browser.get(`${path(id)}/revoke`)
  /** Reads the question and confirms it. */
  const revoke = async (shown: Shown) => {
    const remaining = fieldValue((await question(shown)).html, 'remaining')
    return await browser.post(`${path(shown.id)}/revoke`, { remaining })
  }
  /** The row of a credential. */
  const row = async ({ end }: Shown) => {
    const { html } = await browser.get(keys)
    return html.split('<tr>').find((one) => one.includes(`…${end}</code></span>`)) ?? ''
  }
  const first = await generate()
  return { tenantId, browser, keys, path, first, generate, rotate, question, revoke, row }
}

/** Sessions end within a day. */
async function passTo(browser: Browser, time: number) {
  setClock(time)
  browser.cookie = ''
  await browser.signIn()
}

describe.for(KINDS)('the rotation of a %s', (kind) => {
  it('names the old and the new one by their characters, on each page', async () => {
    const at = await newConnection(kind)
    await at.first.use()
    const prefix = kind === 'token' ? 'scim_' : 'scims_'
    const asked = textOf((await at.browser.get(`${at.path(at.first.id)}/rotate`)).html)
    expect(asked).toContain(`Rotate the ${kind} “ Entra ” ${prefix}…${at.first.end}`)
    expect(asked).toMatch(/Client Entra .*Created \d{4}-.*Last used \d{4}-.*Expires/)
    const fresh = fieldValue((await at.browser.get(`${at.path(at.first.id)}/rotate`)).html, 'id')
    const page = await at.browser.post(`${at.path(at.first.id)}/rotate`, { id: fresh })
    expect(textOf(page.html)).toContain(`It replaces “ Entra ” ${prefix}…${at.first.end} , which stays valid`)
    const [old, next] = (await Promise.all(
      [at.first.id, fresh].map(async (id) => textOf((await at.browser.get(`${at.path(id)}/revoke`)).html)),
    )) as [string, string]
    expect(old).toContain(`Revoke the ${kind} “ Entra ” ${prefix}…${at.first.end}`)
    expect(old).toMatch(/Created \d{4}-.*Last used \d{4}-/)
    expect(next).toMatch(/Created \d{4}-.*Last used Never/)
    expect(await at.row(at.first)).toMatch(/To be revoked.* replaces it and has not been used yet/)
  })

  it('leaves the new one valid, and able to be rotated, when the old one is revoked', async () => {
    const at = await newConnection(kind)
    const second = await at.rotate(at.first)
    await second.use()
    expect(await at.row(at.first)).toMatch(/To be revoked.*….* replaces it and is in use/)
    expect(await at.row(second)).toMatch(/Valid.*Replaces/)
    expect((await at.question(at.first)).html).not.toContain('notice danger')
    expect((await at.revoke(at.first)).status).toBe(303)
    expect([await at.first.use(), await second.use()]).toEqual([false, true])
    expect(await at.row(at.first)).toContain('>Revoked</span>')
    expect(await at.row(second)).not.toContain('Replaces')
    expect(await (await at.rotate(second)).use()).toBe(true)
  })

  it('is cancelled when the new one is revoked: the old one is valid, and can be rotated again', async () => {
    const at = await newConnection(kind)
    await at.first.use()
    const second = await at.rotate(at.first)
    const asked = await at.question(second)
    expect(textOf(asked.html)).toMatch(
      /This cancels the rotation\. The old one.*stays valid and can be rotated again/,
    )
    expect(asked.html).toContain('Revoke it, keep the old one')
    await at.revoke(second)
    expect([await at.first.use(), await second.use()]).toEqual([true, false])
    expect(await at.row(at.first)).toMatch(/>Valid<.*\/rotate"/)
    const third = await at.rotate(at.first)
    expect([await at.first.use(), await third.use()]).toEqual([true, true])
    expect(await at.row(at.first)).toContain('To be revoked')
  })

  it('can be undone by keeping the old one: both are valid, and both can be rotated', async () => {
    const at = await newConnection(kind)
    const second = await at.rotate(at.first)
    const kept = await at.browser.post(`${at.path(at.first.id)}/keep`, {})
    expect([kept.status, kept.location]).toEqual([303, `${at.keys}?done=kept`])
    for (const one of [at.first, second]) expect(await at.row(one)).toMatch(/>Valid<.*\/rotate"/)
    expect([await at.first.use(), await second.use()]).toEqual([true, true])
    expect((await at.browser.post(`${at.path(at.first.id)}/keep`, {})).status).toBe(404)
  })

  it('can follow another one: the last one replaces both, whichever is revoked first', async () => {
    const at = await newConnection(kind)
    const second = await at.rotate(at.first)
    const third = await at.rotate(second)
    for (const one of [at.first, second]) expect(await at.row(one)).toContain('To be revoked')
    expect(await at.row(third)).toContain('>Valid<')
    await third.use()
    await at.revoke(second)
    expect(await at.row(at.first)).toMatch(
      new RegExp(`To be revoked.*…${third.end}</code> replaces it and is in use`),
    )
    expect((await at.browser.get(`${at.path(at.first.id)}/rotate`)).status).toBe(404)
    await at.revoke(third)
    expect(await at.row(at.first)).toMatch(/>Valid<.*\/rotate"/)
    expect([await at.first.use(), await second.use(), await third.use()]).toEqual([true, false, false])
  })

  it('ends by itself when the old one expires', async () => {
    const now = Date.now()
    const expires = new Date(now + 2 * DAY_MS).toISOString().slice(0, 10)
    const at = await newConnection(kind, { expires })
    await passTo(at.browser, now + DAY_MS)
    const second = await at.rotate(at.first)
    await passTo(at.browser, now + 3 * DAY_MS + 1)
    expect([await at.first.use(), await second.use()]).toEqual([false, true])
    expect(await at.row(at.first)).toContain('>Expired</span>')
    expect(await at.row(second)).toMatch(/>Valid<.*\/rotate"/)
  })

  it('asks plainly before the old one is revoked while the new one was never used', async () => {
    const at = await newConnection(kind)
    await at.first.use()
    const second = await at.rotate(at.first)
    const asked = textOf((await at.question(at.first)).html)
    expect(asked).toContain('No other credential of its client has ever been used.')
    expect(asked).toContain(`…${second.end} replaces this one. If it is not entered at “ Entra ” yet`)
    // Who has not read that is asked again.
    const hasty = await at.browser.post(`${at.path(at.first.id)}/revoke`, { remaining: 'used' })
    expect([hasty.status, await at.first.use()]).toEqual([409, true])
    expect((await at.revoke(at.first)).status).toBe(303)
    expect(await second.use()).toBe(true)
  })

  it('asks plainly before the only credential of a client is revoked, and offers to rotate it', async () => {
    const at = await newConnection(kind)
    const asked = await at.question(at.first)
    expect(textOf(asked.html)).toContain('This is the only valid credential of its client.')
    expect(asked.html).toContain('Revoke the only credential')
    expect(asked.html).toContain(`href="${at.path(at.first.id)}/rotate"`)
    expect((await at.browser.post(`${at.path(at.first.id)}/revoke`, {})).status).toBe(409)
    expect(await at.first.use()).toBe(true)
    expect((await at.revoke(at.first)).status).toBe(303)
    expect(await at.first.use()).toBe(false)
  })

  it('asks again when the other credential ended while the question was open', async () => {
    const at = await newConnection(kind)
    const second = await at.rotate(at.first)
    await at.first.use()
    await second.use()
    // Two administrators read the question, and each revokes another one.
    const remaining = fieldValue((await at.question(second)).html, 'remaining')
    expect(remaining).toBe('used')
    expect((await at.revoke(at.first)).status).toBe(303)
    const late = await at.browser.post(`${at.path(second.id)}/revoke`, { remaining })
    expect(late.status).toBe(409)
    expect(textOf(late.html)).toMatch(/Nothing was revoked.*only valid credential/)
    expect(await second.use()).toBe(true)
  })

  it('counts a credential of another kind, but none of another client', async () => {
    const at = await newConnection(kind)
    const { clients } = (await admin('GET', `/tenants/${at.tenantId}/clients`)).body
    const { id: client } = clients.find(({ name }: { name: string }) => name === 'Entra')
    await newToken(at.tenantId, { name: 'Other client' })
    expect((await at.question(at.first)).html).toContain('only valid credential')
    const other = kind === 'token' ? 'secret' : 'token'
    await at.generate({ client, credential: other })
    expect((await at.question(at.first)).html).toContain(
      'No other credential of its client has ever been used.',
    )
  })

  it('happens once for each form', async () => {
    const at = await newConnection(kind)
    const fresh = fieldValue((await at.browser.get(`${at.path(at.first.id)}/rotate`)).html, 'id')
    expect((await at.browser.post(`${at.path(at.first.id)}/rotate`, { id: fresh })).status).toBe(201)
    const again = await at.browser.post(`${at.path(at.first.id)}/rotate`, { id: fresh })
    expect([again.status, again.location]).toEqual([303, `${at.keys}?done=known`])
    const another = await at.browser.post(`${at.path(at.first.id)}/rotate`, { id: crypto.randomUUID() })
    expect(another.status).toBe(404)
  })
})

describe('the characters of a credential', () => {
  it('are in the admin API, with what replaces it', async () => {
    const at = await newConnection('token')
    const second = await at.rotate(at.first)
    const made = (await admin('POST', `/tenants/${at.tenantId}/tokens`, { name: 'x' })).body
    expect(made.lastCharacters).toBe(made.token.slice(-4))
    const { tokens } = (await admin('GET', `/tenants/${at.tenantId}/tokens`)).body
    const byId = (id: string) => tokens.find((one: { id: string }) => one.id === id)
    expect(byId(at.first.id)).toMatchObject({ lastCharacters: at.first.end, replacedBy: second.id })
    expect(byId(second.id)).toMatchObject({ lastCharacters: second.end, replacedBy: null, revokedAt: null })
    // A revocation by script cancels a rotation too.
    await admin('DELETE', `/tenants/${at.tenantId}/tokens/${second.id}`)
    const { tokens: after } = (await admin('GET', `/tenants/${at.tenantId}/tokens`)).body
    expect(after.find((one: { id: string }) => one.id === at.first.id)).toMatchObject({ replacedBy: null })
  })

  it('are not claimed of a token of an older version', async () => {
    const at = await newConnection('token')
    await env.DB.prepare('UPDATE tokens SET last_characters = NULL WHERE id = ?').bind(at.first.id).run()
    const { html } = await at.browser.get(at.keys)
    expect(html).not.toContain(at.first.end)
    expect(html).not.toContain('null')
    for (const page of ['rotate', 'revoke']) {
      const question = textOf((await at.browser.get(`${at.path(at.first.id)}/${page}`)).html)
      expect(question).toContain('Characters Not stored: generated by an older version')
    }
    const second = await at.rotate(at.first)
    expect(await at.row(second)).toContain('Replaces the old one.')
  })

  it('name the credential of an entry of the log', async () => {
    const at = await newConnection('token')
    const token = await newToken(at.tenantId, { name: 'Entra' })
    await new Client(at.tenantId, token.token).createUser()
    const { entries } = (await admin('GET', `/tenants/${at.tenantId}/log`)).body
    expect(entries[0]).toMatchObject({ tokenName: 'Entra', tokenLastCharacters: token.token.slice(-4) })
    const page = textOf((await at.browser.get(`/admin/tenants/${at.tenantId}/log`)).html)
    expect(page).toContain(`…${token.token.slice(-4)}`)
  })
})

it('the secrets of a deleted client are not valid', async () => {
  const at = await newConnection('secret')
  const { clients } = (await admin('GET', `/tenants/${at.tenantId}/clients`)).body
  await admin('DELETE', `/tenants/${at.tenantId}/clients/${clients.at(-1).id}`)
  expect(await at.row(at.first)).toContain('>Revoked</span>')
  expect(await at.first.use()).toBe(false)
})
