/**
 * `npm run bench -- pages`: every page of the dashboard, with the round trips and the rows of its database as D1 counts them, its
 * time and its bytes, at a directory with many users and log entries.
 */
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { quantile } from './load/statistics.ts'
import { wholeFrom } from './options.ts'
import { addressesOf } from './pages/addresses.ts'
import { makeFile, makeScene } from './pages/scene.ts'
import { ADMIN_TOKEN, build, type Peer, start } from './peers/peer.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

/** The goals for a page. */
const [MOST_ROUND_TRIPS, MOST_ROWS, MOST_BYTES] = [2, 200, 20_000]

interface PageCost {
  readonly address: string
  readonly status: number
  readonly roundTrips: number
  readonly rowsRead: number
  /** The median. */
  readonly ms: number
  /** Of the HTML with gzip. */
  readonly bytes: number
}

const values = readOptions('pages')

await runSection(main)

async function main(): Promise<number> {
  const users = wholeFrom(1_000, 'users', values.users)
  const logEntries = wholeFrom(1_000, 'log', values.log)
  const repetitions = wholeFrom(1, 'repetitions', values.repetitions)
  build()
  const directory = await makeFile({ users, logEntries }, Date.now())
  const peer = await start('workerd', { database: directory.file, serverTiming: true })
  const addresses = addressesOf(await makeScene(peer, directory))
  const cookie = await signIn(peer)
  const costs: PageCost[] = []
  for (const address of addresses) costs.push(await measure(peer, cookie, address, repetitions))
  print(costs)
  // The first one leads to the only tenant, or to the list.
  const wrong = costs.filter(({ status }) => status !== 200 && status !== 303)
  for (const { address, status } of wrong) console.error(`${address}: ${status}`)
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify({ users, logEntries, costs }))
  return wrong.length > 0 ? 1 : 0
}

/** @returns the cookie of a session */
async function signIn({ port }: Peer): Promise<string> {
  const origin = `http://127.0.0.1:${port}`
  const body = new URLSearchParams({ token: ADMIN_TOKEN, next: '/admin' })
  const answer = await fetch(`${origin}/admin/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: origin },
    body,
  })
  const cookie = answer.headers.get('Set-Cookie')?.split(';')[0]
  if (cookie === undefined) throw new Error(`no session: ${answer.status} ${await answer.text()}`)
  return cookie
}

/** The first request is not measured: it may load a part of the server. */
async function measure(
  { port }: Peer,
  cookie: string,
  address: string,
  repetitions: number,
): Promise<PageCost> {
  const times: number[] = []
  let [status, roundTrips, rowsRead, bytes] = [0, 0, 0, 0]
  for (let i = 0; i <= repetitions; i++) {
    const started = performance.now()
    const answer = await fetch(`http://127.0.0.1:${port}${address}`, {
      redirect: 'manual',
      headers: { Cookie: cookie },
    })
    const html = await answer.text()
    if (i > 0) times.push(performance.now() - started)
    const found = /(\d+) round trips, (\d+) rows read/.exec(answer.headers.get('Server-Timing') ?? '')
    status = answer.status
    bytes = gzipSync(html).length
    roundTrips = Number(found?.[1])
    rowsRead = Number(found?.[2])
  }
  return { address, status, roundTrips, rowsRead, ms: quantile(times, 0.5), bytes }
}

function print(costs: readonly PageCost[]): void {
  const cell = (value: number, most: number) => (value > most ? `**${value}**` : String(value))
  console.log(
    markdownTable(
      ['page', 'round trips', 'rows read', 'ms', 'bytes with gzip'],
      costs.map(({ address, roundTrips, rowsRead, ms, bytes }) => [
        `\`${shortened(address)}\``,
        cell(roundTrips, MOST_ROUND_TRIPS),
        cell(rowsRead, MOST_ROWS),
        figure(ms),
        cell(bytes, MOST_BYTES),
      ]),
    ),
  )
  const missed = costs.filter(
    ({ roundTrips, rowsRead, bytes }) =>
      !(roundTrips <= MOST_ROUND_TRIPS && rowsRead <= MOST_ROWS && bytes <= MOST_BYTES),
  )
  console.log(`\n${costs.length} pages; ${missed.length} above a goal`)
}

/** Without what all addresses have, and with "…" for ids. */
function shortened(address: string): string {
  return address
    .replace(/^\/admin\/tenants\/default/, '')
    .replace(/^$/, '/')
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}|default_\w+|\d{4}-\d\d-\d\dT[\d:.]+Z/g, '…')
}
