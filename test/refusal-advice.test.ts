/**
 * The advice about refusals: every refusal that the source can make has one, and every advice is for a refusal that exists.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ADVICE, adviceOf } from '../src/admin/explain/advice.ts'
import { providerViewOf } from '../src/admin/explain/provider-view.ts'
import type { Refusal } from '../src/admin/explain/refusal.ts'
import { ACCESS_DETAILS } from '../src/storage/log/failed-access.ts'

const SOURCE = resolve(import.meta.dirname, '..', 'src')
/** The folders whose code answers clients. */
const FOLDERS = ['durable-objects', 'edge', 'http', 'provider', 'scim', 'self-hosted', 'storage']
/** The event feed and /metrics: their answers are not SCIM, and their clients are no identity providers. */
const NOT_SCIM = ['http/events.ts', 'http/metrics.ts', 'provider/events/event-feed.ts']

interface FoundRefusal extends Refusal {
  readonly file: string
}

/** Each `new ScimError(status, scimType, detail)` and `badRequest(scimType, detail)`, with "1" for parts in ${…}. */
function refusalsIn(file: string): readonly FoundRefusal[] {
  const text = readFileSync(join(SOURCE, file), 'utf8')
  const calls =
    /(?:new ScimError\(\s*(\d{3}),|badRequest\()\s*(?:'(\w+)'|(undefined)|[\w.#]+),\s*([`'"])((?:(?!\4)[\s\S])*)/g
  return [...text.matchAll(calls)].map(([, status = '400', scimType = null, , , detail = '']) => ({
    ...{ file, status: Number(status), scimType },
    detail: detail.replace(/\$\{[^}]*\}?/g, '1'),
  }))
}

const refusals = FOLDERS.flatMap((folder) =>
  readdirSync(join(SOURCE, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !NOT_SCIM.includes(`${folder}/${name}`))
    .flatMap((name) => refusalsIn(`${folder}/${name}`)),
)

/** Refusals whose texts are put together elsewhere. */
const OTHERS: readonly Refusal[] = [
  // TakenError, HeldError, AccessRefused, notFound, scim/list-response.ts, self-hosted/refusal.ts, edge/body.ts
  { status: 409, scimType: 'uniqueness', detail: 'userName "x" is already in use' },
  {
    status: 429,
    scimType: null,
    detail: 'the write is held: the client disables more than the tenant allows',
  },
  { status: 403, scimType: null, detail: 'the token has the scope "read", and writing needs "provision"' },
  { status: 401, scimType: null, detail: 'a valid token is needed: Authorization: Bearer <token>' },
  { status: 404, scimType: null, detail: 'User "x" not found' },
  { status: 400, scimType: 'invalidCount', detail: '"count" must be an integer, found "x"' },
  { status: 400, scimType: null, detail: 'the request line is invalid' },
  { status: 408, scimType: null, detail: 'the request body did not arrive in time' },
  { status: 499, scimType: null, detail: 'the client has closed the connection' },
  { status: 400, scimType: 'tooMany', detail: 'the request exceeds the limit of 1 units of work' },
  { status: 400, scimType: 'invalidValue', detail: 'the request exceeds the limit of 1 units of work' },
]

const rowOf = (refusal: Refusal) => ADVICE.find(({ cause }) => cause === adviceOf(refusal)?.cause)

describe('the advice about refusals', () => {
  it('is there for every refusal in the source', () => {
    expect(refusals.length).toBeGreaterThan(100)
    const without = [...refusals, ...OTHERS].filter((refusal) => adviceOf(refusal) === null)
    expect(without).toEqual([])
  })

  it('is found by every detail that it looks for, so that none is left behind when a text changes', () => {
    const used = new Set([...refusals, ...OTHERS].map(rowOf))
    expect(ADVICE.filter((row) => !used.has(row))).toEqual([])
  })

  it('tells refusals with the same status apart', () => {
    const fixOf = (status: number, detail: string, scimType: string | null = null) =>
      adviceOf({ status, scimType, detail })?.fix
    expect(fixOf(400, 'the directory holds 200 groups and its limit is 200: …')).toContain('group limit')
    expect(fixOf(404, 'endpoint GET /scim/v2/scim/v2/Users not found')).toContain('Tenant URL')
    expect(fixOf(404, 'User "x" not found')).toContain('restore it')
    expect(fixOf(429, 'the write is held: …')).toContain('pass for an hour')
    const unknownMember = 'attribute "members" names no User or Group of the directory: "x"'
    expect(fixOf(400, unknownMember, 'invalidValue')).toContain('scope of provisioning')
  })

  it('is there for every reason of failed access, and different for different causes', () => {
    const causes = Object.values(ACCESS_DETAILS).map(
      (detail) => adviceOf({ status: 401, scimType: null, detail })?.cause,
    )
    expect(new Set(causes).size).toBe(causes.length)
    expect(causes).not.toContain(undefined)
  })

  it('is plain English: whole sentences, none of them long', () => {
    const access = Object.values(ACCESS_DETAILS).map((detail) =>
      adviceOf({ status: 401, scimType: null, detail }),
    )
    for (const advice of [...ADVICE, ...access]) {
      for (const text of [advice?.cause ?? '', advice?.fix ?? '']) {
        expect(text).toMatch(/^[A-Z].*\.$/)
        for (const sentence of text.split(/[.:;] /))
          expect(sentence.split(' ').length, sentence).toBeLessThan(30)
      }
    }
  })
})

describe("the identity provider's view", () => {
  const view = (clientName: string | null, status: number, action = 'create') =>
    providerViewOf({ clientName, status, action, scimType: null, detail: null })

  it('is given for clients that are known by their name, and for no others', () => {
    expect(view('Microsoft Entra ID', 409)).toContain('6, 12 and 24 hours')
    expect(view('Azure AD', 401, 'authenticate')).toContain('quarantine')
    expect(view('Okta', 400)).toContain('failed task')
    for (const name of ['Central HR', 'SCIM client', null]) expect(view(name, 409)).toBeNull()
  })

  it('depends on the answer', () => {
    expect(view('Entra', 404, 'update')).toContain('InvalidAnchor')
    expect(view('Entra', 429)).toContain('by itself')
    expect(view('Entra', 400, 'read')).toContain('Test connection')
    expect(view('Entra', 409, 'create')).toContain('begins with matching')
    expect(view('Okta', 429)).toContain('by itself')
  })
})
