/**
 * The list of users: where a page is in the list, the way to its neighbours, and the list as a file.
 */
import { describe, expect, it } from 'vitest'
import { Browser, textOf } from '../support/dashboard.ts'
import { fileOf, imported, userLine } from '../support/directory-file.ts'
import { newClient } from '../support/harness.ts'

const COUNT = 120

async function newList() {
  const names = Array.from({ length: COUNT }, (_, i) => `user-${String(i).padStart(3, '0')}`)
  const client = await newClient()
  const users = names.map((userName, i) => userLine(i + 1, { userName, displayName: `=${i}` }))
  await imported(client.tenantId, await fileOf(users))
  const browser = await new Browser().signIn()
  return { names, browser, path: `/admin/tenants/${client.tenantId}/users` }
}

function namesOn(html: string): readonly string[] {
  return [...html.matchAll(/scope="row"[^>]*><a [^>]*>([^<]+)</g)].map(([, name]) => name ?? '')
}

function linkTo(html: string, label: string): string | undefined {
  const link = new RegExp(`href="([^"]+)"[^>]*>${label}<`).exec(html)
  return link?.[1]?.replaceAll('&amp;', '&')
}

describe('the list of users', () => {
  it('says which users a page shows and how many there are, forwards and back', async () => {
    const { names, browser, path } = await newList()
    const seen: (readonly string[])[] = []
    const ranges: string[] = []
    let at: string | undefined = path
    for (const label of ['Next page »', 'Next page »', '‹ Previous page', '‹ Previous page', 'Next page »']) {
      const { html } = await browser.get(at ?? '')
      seen.push(namesOn(html))
      ranges.push(/[\d,]+–[\d,]+ of [\d,]+ users/.exec(textOf(html))?.[0] ?? '')
      at = linkTo(html, label)
    }
    const [first, second, third] = [names.slice(0, 50), names.slice(50, 100), names.slice(100)]
    expect(seen).toEqual([first, second, third, second, first])
    expect(ranges).toEqual([
      '1–50 of 120 users',
      '51–100 of 120 users',
      '101–120 of 120 users',
      '51–100 of 120 users',
      '1–50 of 120 users',
    ])
    expect(linkTo((await browser.get(path)).html, '‹ Previous page')).toBeUndefined()
  })

  it('goes back within a search, too', async () => {
    const { browser, path } = await newList()
    const first = await browser.get(`${path}?q=user&in=userName`)
    const second = await browser.get(linkTo(first.html, 'Next page »') ?? '')
    const back = await browser.get(linkTo(second.html, '‹ Previous page') ?? '')
    expect(namesOn(first.html)).toHaveLength(50)
    expect(namesOn(back.html)).toEqual(namesOn(first.html))
  })

  it('is a CSV file without formulas', async () => {
    const { names, browser, path } = await newList()
    const { html: csv, headers } = await browser.get(`${path}.csv`)
    expect(headers.get('Content-Type')).toBe('text/csv; charset=utf-8')
    expect(headers.get('Content-Disposition')).toMatch(
      /^attachment; filename="users-.+-\d{4}-\d\d-\d\d\.csv"$/,
    )
    const [header, ...lines] = csv.trimEnd().split('\r\n')
    expect(header).toBe('name,displayName,active,members,externalId,lastModified,id')
    expect(lines.map((line) => line.split(',')[0])).toEqual(names)
    expect(lines[7]?.split(',')[1]).toBe("'=7")
  })
})
