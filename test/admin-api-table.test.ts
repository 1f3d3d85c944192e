/** The table of the admin API in docs/api/admin-api.md has a row for each route of the contract, with the same texts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { JSON_LINES, type Route } from '../src/admin/contract/route.ts'
import { ADMIN_API_PATH, ROUTES } from '../src/admin/contract/routes.ts'
import { actionsOf, type SchemaParts } from '../src/admin/contract/schema-parts.ts'

const PAGE = readFileSync(join(import.meta.dirname, '..', 'docs', 'api', 'admin-api.md'), 'utf8')
const rows = PAGE.split('\n').filter((line) => /^\| `[A-Z]+ \/admin\/api/.test(line))

/** `| request | summary and description | example of the body |` */
function rowOf({ method, path, query, summary, description, body }: Route): string {
  const names = Object.keys(query?.entries ?? {}).map((name) => `${name}=`)
  const request = `${method} ${ADMIN_API_PATH}${path}${names.length > 0 ? '?' : ''}${names.join('&')}`
  const does = description === undefined ? summary : `${summary}. ${description}`
  return `| \`${request}\` | ${does} | ${exampleOf(body)} |`
}

function exampleOf(body: Route['body']): string {
  if (body === undefined) return ''
  if (typeof body === 'string') return body === JSON_LINES ? 'JSON Lines' : 'a file'
  const examples = actionsOf(body as unknown as SchemaParts).find((action) => action.examples)?.examples
  return `\`${JSON.stringify(examples?.[0])}\``
}

describe('the table of docs/api/admin-api.md', () => {
  it('has a row for each route, in the order of the contract, and no others', () => {
    expect(rows).toEqual(Object.values<Route>(ROUTES).map(rowOf))
  })
})
