/** The table of the comparison: requests a second of each server, and the ratio to the fastest durable one. */
import { ratiosOf, spreadOf } from '../load/statistics.ts'
import { figure, markdownTable } from '../table.ts'

/** A query that a server does not answer correctly. */
export interface Failure {
  /** In a few words. */
  readonly kind: string
  /** What the server says. */
  readonly detail?: string
}

export interface Result {
  readonly name: string
  readonly isOwn: boolean
  readonly isDurable: boolean
  /** Of each round, without wrong answers. */
  readonly perSecond: readonly number[]
  readonly wrong: number
  /** Why the server is not compared. */
  readonly error: Failure | undefined
}

/** One query at every server. */
export interface Row {
  readonly query: string
  readonly results: readonly Result[]
}

/** This project's server against the fastest durable one of the others. */
const GOAL = 2

export function comparisonTable(rows: readonly Row[], rounds: number, users: number): string {
  const results = rows[0]?.results ?? []
  const own = results.filter(({ isOwn }) => isOwn).map(({ name }) => name)
  const header = [
    `${users.toLocaleString('en')} users`,
    ...results.map(({ name, isDurable }) => `${name}, ${isDurable ? 'SQLite' : 'memory'}`),
    'fastest durable peer',
    ...own.map((name) => `${name}, times that`),
    'goal',
    'wrong',
  ]
  const explanation = `Requests a second, the median of ${rounds} rounds; the ratio with the lowest and the highest. The goal is ${GOAL}
times the fastest server of another project that keeps confirmed writes. A server in memory loses them when it ends.
A server without a figure does not answer correctly; "wrong" counts this project's wrong answers.`
  const table = markdownTable(header, rows.map(cellsOf))
  return [explanation, table, ...notesOf(rows)].join('\n\n')
}

/** What the servers without a figure say, each once. */
function notesOf(rows: readonly Row[]): readonly string[] {
  const notes = rows.flatMap(({ results }) =>
    results.flatMap(({ name, error }) => (error?.detail === undefined ? [] : [`${name}: ${error.detail}`])),
  )
  return notes.length === 0 ? [] : [[...new Set(notes)].join('\n')]
}

function cellsOf({ query, results }: Row): readonly string[] {
  const own = results.filter(({ isOwn }) => isOwn)
  const [fastest] = results
    .filter(({ isOwn, isDurable, error }) => !isOwn && isDurable && error === undefined)
    .toSorted((a, b) => median(b) - median(a))
  const ratios = own.map(({ perSecond }) => spreadOf(fastest ? ratiosOf(perSecond, fastest.perSecond) : []))
  return [
    query,
    ...results.map((result) => result.error?.kind ?? figure(median(result))),
    fastest?.name ?? 'none',
    ...ratios.map(({ median, min, max }) => `${figure(median)} (${figure(min)}–${figure(max)})`),
    verdict(ratios.map((ratio) => ratio.median)),
    String(own.reduce((sum, { wrong }) => sum + wrong, 0)),
  ]
}

function median({ perSecond }: Result): number {
  return spreadOf(perSecond).median
}

function verdict(ratios: readonly number[]): string {
  if (ratios.some(Number.isNaN)) return ''
  return ratios.every((ratio) => ratio >= GOAL) ? '✓' : '✗'
}
