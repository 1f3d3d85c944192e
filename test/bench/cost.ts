/**
 * The size of a directory and its monthly cost on Cloudflare. Bytes and rows are measured on a directory that the
 * server stored from Entra's requests. cost/model.ts has the usage of a month and the prices. docs/operate/growth.md shows the
 * tables for cost/measured.json.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { measureMonth } from './cost/measure.ts'
import { costTables, type Measured } from './cost/model.ts'
import { wholeFrom } from './options.ts'
import { readOptions, runSection } from './section.ts'

const values = readOptions('cost')

await runSection(main)

async function main(): Promise<number> {
  const users = wholeFrom(1_000, 'users', values.users)
  const measured: Measured =
    values.from === undefined ? await measureMonth(users) : JSON.parse(readFileSync(values.from, 'utf8'))
  for (const { title, table } of costTables(measured)) console.log(`\n${title}\n\n${table}`)
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(measured, null, 2)}\n`)
  return 0
}
