/** README.md has a table of the admin API: it says what the contract says, a row for each route. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { JSON_LINES, type Route } from '../src/admin/contract/route.ts'
import { ADMIN_API_PATH, ROUTES } from '../src/admin/contract/routes.ts'
import { actionsOf, type SchemaParts } from '../src/admin/contract/schema-parts.ts'

const README = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8')
const rows = README.split('\n').filter((line) => /^\| `[A-Z]+ \/admin\/api/.test(line))

/** `| request | what it does | example of its body |` */
function rowOf({ method, path, query, summary, description, body }: Route): string {
  const names = Object.keys(query?.entries ?? {}).map((name) => `${name}=`)
  const request = `${method} ${ADMIN_API_PATH}${path}${names.length > 0 ? '?' : ''}${names.join('&')}`
  const does = description === undefined ? summary : `${summary}. ${description}`
  return `| \`${request}\` | ${does} | ${exampleOf(body)} |`
}

function exampleOf(body: Route['body']): string {
  if (body === undefined) return ''
  if (body === JSON_LINES) return 'JSON Lines'
  const examples = actionsOf(body as unknown as SchemaParts).find((action) => action.examples)?.examples
  return `\`${JSON.stringify(examples?.[0])}\``
}

describe('the table of the admin API in README.md', () => {
  it('has a row for each route, in the order of the contract, and no other', () => {
    expect(rows).toEqual(Object.values<Route>(ROUTES).map(rowOf))
  })
})
