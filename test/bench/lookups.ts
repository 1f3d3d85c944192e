/**
 * `npm run bench -- lookups`: filters on values of users with and without `user_values`, on Node.js: two servers with the
 * same directory take turns, and the tenant of one lacks the values, as it does between the migration and the maintenance
 * that fills them in.
 */
import { copyFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { makeDirectory, userId, userName } from './directory.ts'
import { type Exchange, measure } from './load/client.ts'
import { type ScimExchange, scimExchange } from './load/scim.ts'
import { quantile, ratiosOf, spreadOf } from './load/statistics.ts'
import { wholeFrom } from './options.ts'
import { type Peer, start, stop } from './peers/peer.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const CONNECTIONS = 4
/** Less than a server waits before it fills in the values. */
const SECONDS = 0.5

const FILTERS: Readonly<Record<string, (number: number) => string>> = {
  'emails.value eq': (number) => `emails.value eq "${userName(number)}"`,
  'emails[type eq "work" and value eq]': (number) =>
    `emails[type eq "work" and value eq "${userName(number)}"]`,
  'name.familyName eq': (number) => `name.familyName eq "person-${number}"`,
}

await runSection(main)

async function main(): Promise<number> {
  const values = readOptions('lookups')
  const sizes = values.users.split(',').map((text) => wholeFrom(1, 'users', text))
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const results: Result[] = []
  for (const users of sizes) {
    for (const filter of Object.keys(FILTERS)) results.push(await compare(users, filter, rounds))
  }
  print(results)
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(results))
  return results.some(({ wrong }) => wrong > 0) ? 1 : 0
}

interface Result {
  readonly users: number
  readonly filter: string
  /** Requests per second of each round, with and without values; 0 if they are refused. */
  readonly withValues: readonly number[]
  readonly without: readonly number[]
  readonly medianMs: number
  readonly wrong: number
}

async function compare(users: number, filter: string, rounds: number): Promise<Result> {
  const { file, token } = await makeDirectory({ users, groups: [] })
  const other = `${file}.without`
  copyFileSync(file, other)
  forgetValues(other)
  const [filled, missing] = [
    await start('Node.js', { database: file }),
    await start('Node.js', { database: other }),
  ]
  const send = scimExchange(token)
  const [withValues, without, times]: [number[], number[], number[]] = [[], [], []]
  let wrong = 0
  for (let round = 0; round < rounds; round++) {
    const fast = await measure(loadOf(filled, send, users, filter))
    // Beyond the limit, the filter is refused without an index: no answer holds the user.
    const slow = await measure(loadOf(missing, send, users, filter))
    wrong += fast.wrong
    times.push(...fast.times)
    withValues.push(fast.times.length / fast.seconds)
    without.push(slow.times.length / slow.seconds)
  }
  for (const peer of [filled, missing]) await stop(peer)
  return { users, filter, withValues, without, medianMs: quantile(times, 0.5), wrong }
}

function forgetValues(file: string): void {
  const database = new DatabaseSync(file)
  database.exec(`DELETE FROM user_values;
    UPDATE tenants SET configuration = json_object('valuesMissing', json('true')) WHERE id = 'default'`)
  database.close()
}

function loadOf({ port }: Peer, send: ScimExchange, users: number, filter: string) {
  let count = 0
  const next = (): Exchange => {
    const number = 1 + ((count++ * 7_919) % users)
    const text = FILTERS[filter]?.(number) ?? ''
    const path = `/Users?filter=${encodeURIComponent(text)}`
    return send({ method: 'GET', path }, 200, '"totalResults":1', `"id":"${userId(number)}"`)
  }
  return { port, connections: CONNECTIONS, seconds: SECONDS, next }
}

function print(results: readonly Result[]): void {
  const rows = results.map(({ users, filter, withValues, without, medianMs }) => {
    const { median, min, max } = spreadOf(ratiosOf(withValues, without))
    const times = without.includes(0)
      ? 'refused without'
      : `${figure(median)} (${figure(min)}–${figure(max)})`
    return [users.toLocaleString('en-US'), filter, `${figure(medianMs)} ms`, times]
  })
  console.log(
    markdownTable(['users', 'filter', 'median time', 'throughput, times that without values'], rows),
  )
}
