/** The report of a run: each operation on each host, and the figures with a goal. */
import type { Spread } from '../load/statistics.ts'
import type { HostName } from '../options.ts'
import { figure, markdownTable } from '../table.ts'

export interface Row {
  readonly operation: string
  readonly host: HostName
  readonly connections: number
  readonly perSecond: number
  readonly floorPerSecond: number
  readonly ofFloor: Spread
  readonly goal: number | undefined
  /** Relative to the Worker under `wrangler dev`. */
  readonly timesWranglerDev: Spread
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the server for one request; other processes affect it less than the throughput. */
  readonly cpuMs: number
  readonly floorCpuMs: number
  readonly wrong: number
}

/** Servers that did not start. */
export interface Missing {
  readonly peer: string
  readonly reason: string
}

export interface Report {
  readonly rows: readonly Row[]
  readonly missing: readonly Missing[]
  readonly rounds: number
  /** Of one slice. */
  readonly seconds: number
  /** Share of one processor that the load generator used. */
  readonly ownShare: number
}

/** The goal of a self-hosted server relative to the Worker under `wrangler dev`. */
const TIMES_WRANGLER_DEV_GOAL = 5

export function printReport({ rows, missing, rounds, seconds, ownShare }: Report): void {
  console.log(
    `The Worker runs in bare workerd with Miniflare's D1 and the real Durable Object, all on disk; so does its floor.
Medians of ${rounds} rounds of ${seconds} s each, in turn with the floor; in brackets the lowest and the highest ratio.
The load generator took ${(100 * ownShare).toFixed(0)} % of one processor.\n`,
  )
  console.log(markdownTable(HEADER, [...rows.map(cellsOf), ...missing.map(missingCells)]))
  console.log('\nFigures with a goal\n')
  console.log(markdownTable(['figure', 'goal', 'value', ''], rows.flatMap(goalsOf)))
}

const HEADER = [
  'operation',
  'host',
  'conn.',
  'requests/s',
  'floor',
  'of the floor',
  'of the floor by cpu',
  '× wrangler dev',
  'p50 ms',
  'p99 ms',
  'cpu ms',
  'floor cpu ms',
  'wrong',
]

function cellsOf(row: Row): readonly string[] {
  return [
    row.operation,
    row.host,
    String(row.connections),
    figure(row.perSecond),
    figure(row.floorPerSecond),
    ratio(row.ofFloor),
    figure(row.floorCpuMs / row.cpuMs),
    ratio(row.timesWranglerDev),
    figure(row.p50Ms),
    figure(row.p99Ms),
    milliseconds(row.cpuMs),
    milliseconds(row.floorCpuMs),
    String(row.wrong),
  ]
}

function missingCells({ peer, reason }: Missing): readonly string[] {
  return ['—', peer, '', reason.replace(/\s+/g, ' ')]
}

function goalsOf(row: Row): readonly (readonly string[])[] {
  const { operation, host, connections, goal, ofFloor, timesWranglerDev } = row
  const what = `${operation}, ${host}, ${connections} connections`
  const rows: (readonly string[])[] = []
  if (goal !== undefined)
    rows.push([`${what}: of the floor`, `≥ ${goal}`, ratio(ofFloor), verdict(ofFloor, goal)])
  if ((host === 'Deno' || host === 'Node.js') && !Number.isNaN(timesWranglerDev.median))
    rows.push([
      `${what}: times wrangler dev`,
      `≥ ${TIMES_WRANGLER_DEV_GOAL}`,
      ratio(timesWranglerDev),
      verdict(timesWranglerDev, TIMES_WRANGLER_DEV_GOAL),
    ])
  return rows
}

function ratio({ median, min, max }: Spread): string {
  return Number.isNaN(median) ? '—' : `${figure(median)} (${figure(min)}–${figure(max)})`
}

function verdict({ median }: Spread, goal: number): string {
  return median >= goal ? '✓' : '✗'
}

function milliseconds(value: number): string {
  return Number.isNaN(value) ? '—' : value.toFixed(3)
}
