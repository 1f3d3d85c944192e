/**
 * The page of limits and settings: what is in force, from the settings that were read and the constants of the code.
 */
import { describe, expect, it } from 'vitest'
import { TENANT_CHANGE } from '../../src/admin/contract/tenants.ts'
import { shownValue } from '../../src/admin/limits/values.ts'
import { WORDS } from '../../src/admin/limits/words.ts'
import * as limits from '../../src/scim/limits.ts'
import { SHARED_DEFAULTS, sharedSettings } from '../../src/settings.ts'
import { ADMIN_TOKEN, Browser, textOf } from '../support/dashboard.ts'
import { admin, newClient } from '../support/harness.ts'
import { newAdminToken } from '../support/people.ts'

describe('the page of limits', () => {
  it('shows every limit of the code, with its value', async () => {
    const { html } = await (await new Browser().signIn()).get('/admin/limits')
    const names = Object.keys(limits)
    expect(names.filter((name) => !html.includes(`>${name}</span>`))).toEqual([])
    expect(textOf(html)).toContain('Bulk operations, at most 100 src/scim/limits.ts MAX_BULK_OPERATIONS')
    expect(textOf(html)).toContain('Body of a SCIM request, at most 1 MiB (1,048,576 bytes)')
  })

  it('shows every setting, and of a secret only whether it is set', async () => {
    const { html } = await (await new Browser().signIn()).get('/admin/limits')
    const text = textOf(html)
    for (const name of Object.keys(SHARED_DEFAULTS)) expect(html).toContain(`>${name}</span>`)
    expect(text).toContain('LOG_RETENTION_DAYS 30 days')
    expect(text).toContain('ADMIN_TOKEN Set')
    expect(text).toContain('PUBLIC_URL Not set Default')
    expect(html).not.toContain(ADMIN_TOKEN)
  })

  it('needs a session, and the right to see the whole installation', async () => {
    expect((await new Browser().get('/admin/limits')).status).toBe(303)
    const { tenantId } = await newClient()
    const { token } = await newAdminToken('owner', [tenantId])
    const browser = await new Browser().signIn(token)
    expect((await browser.get('/admin/limits')).status).toBe(403)
    const settings = await browser.get(`/admin/tenants/${tenantId}/settings`)
    expect([settings.status, settings.html.includes('/admin/limits')]).toEqual([200, false])
  })
})

describe('the settings page of a tenant', () => {
  it('shows what is in force, every setting that the admin API changes', async () => {
    const { tenantId } = await newClient()
    const deprovisionGuard = { share: 0.05, count: 20, windowMinutes: 60 }
    await admin('PATCH', `/tenants/${tenantId}`, { groupLimit: 1234, deprovisionGuard })
    const { html } = await (await new Browser().signIn()).get(`/admin/tenants/${tenantId}/settings`)
    const [{ entries }] = TENANT_CHANGE.pipe
    const names = Object.keys(entries).filter((name) => name !== 'name')
    expect(names.filter((name) => !html.includes(`>${name}</td>`))).toEqual([])
    expect(textOf(html)).toContain('Group limit 1,234 groupLimit')
    expect(textOf(html)).toContain('Deprovision guard share 0.05, count 20, window minutes 60')
  })
})

describe('shownValue', () => {
  it.each([
    ['MAX_BODY_BYTES', 1_048_576, 'Body of a SCIM request, at most', '1 MiB (1,048,576 bytes)'],
    ['MAX_EVENT_BYTES_SENT', 20_000, 'Event as it is sent, at most', '20,000 bytes'],
    ['MIN_TOKEN_LIFETIME_SECONDS', 3_600, 'Token lifetime, at least', '1 hour (3,600 seconds)'],
    ['CURSOR_TIMEOUT_SECONDS', 172_800, 'Cursor timeout', '2 days (172,800 seconds)'],
    ['BODY_TIMEOUT_SECONDS', 30, 'Body timeout', '30 seconds'],
    ['DEFAULT_PAGE_SIZE', 100, 'Page size, by default', '100'],
    ['MAX_JSON_DEPTH', 32, 'JSON depth, at most', '32'],
    ['MAX_IMPORT_TIME_MS', 253_402_300_799_999, 'Time of an imported resource, at most', '9999-12-31'],
  ])('%s = %d', (name, value, words, text) => {
    expect(shownValue(name, value)).toEqual({ name, words, value: text })
  })
})

it('words are only for constants that exist', () => {
  expect(Object.keys(WORDS).filter((name) => !Object.hasOwn(limits, name))).toEqual([])
})

describe('the settings in force', () => {
  it('hide secrets, those of a runtime too, and say where a value is set', () => {
    const values = {
      ...SHARED_DEFAULTS,
      ADMIN_TOKEN: 'a'.repeat(20),
      METRICS_TOKEN: 'b'.repeat(20),
      PORT: '1',
    }
    const { inForce } = sharedSettings(values, (name) => (name === 'PORT' ? 'environment' : undefined)).app
    expect(JSON.stringify(inForce)).not.toMatch(/a{20}|b{20}/)
    expect(inForce).toContainEqual({ name: 'METRICS_TOKEN', value: undefined, setIn: undefined })
    expect(inForce).toContainEqual({ name: 'PORT', value: '1', setIn: 'environment' })
    expect(inForce).toContainEqual({ name: 'ACCESS_AUD', value: '', setIn: undefined })
  })
})
