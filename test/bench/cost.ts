/**
 * What a directory weighs and what a month of it costs on Cloudflare: bytes and rows are measured, on a directory that
 * the server itself stored from Entra's requests; what happens in a month, and the prices, are in cost/model.ts.
 * GROWTH.md has the tables, of cost/measured.json.
 *
 *   node test/bench/cost.ts [--users 2000] [--from cost/measured.json] [--out FILE]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureMonth } from './cost/measure.ts'
import { costTables, type Measured } from './cost/model.ts'
import { wholeFrom } from './options.ts'
import { runSection } from './section.ts'

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '2000' },
    /** Computes anew from what was measured before. */
    from: { type: 'string' },
    out: { type: 'string' },
  },
})

await runSection(main)

async function main(): Promise<number> {
  const users = wholeFrom(1_000, 'users', values.users)
  const measured: Measured =
    values.from === undefined ? await measureMonth(users) : JSON.parse(readFileSync(values.from, 'utf8'))
  for (const { title, table } of costTables(measured)) console.log(`\n${title}\n\n${table}`)
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(measured, null, 2)}\n`)
  return 0
}
