/**
 * Results of marked statements in memory: see storage/database/remembered.ts. They are exact. Triggers of this connection
 * forget a result with each change of a row that it follows from, whichever statement makes it. REPLACE deletes rows without a
 * trigger, so no statement of the server uses it for these tables. If another connection has written to the file, all are
 * forgotten. No write reads or stores a result, because it may be rolled back.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { D1Result } from '@cloudflare/workers-types'
import type { RememberedResult } from '../storage/database/database.ts'
import type { ResultSource } from '../storage/database/remembered.ts'
import type { BoundValue, StatementToRun } from './d1-statement.ts'

/** The most characters of all results with their keys. Beyond it, the memory begins anew. */
const MAX_CHARACTERS = 16 * 1024 * 1024
/** About what an entry takes besides its characters, with what is made of it: a user with the end of its answer. */
const ENTRY_CHARACTERS = 1_000

interface Entry {
  readonly result: D1Result<never>
  /** The same in the form of the storage. */
  readonly recalled: RememberedResult
  readonly params: readonly BoundValue[]
  /** The entries of the same statement, by the last of their parameters. */
  readonly among: Map<BoundValue, Entry>
  readonly characters: number
}

/** The entries of a tenant. */
interface OfTenant {
  readonly byStatement: Map<string, Map<BoundValue, Entry>>
  /** By the id of the row that they follow from. */
  readonly byRow: Map<string, Entry[]>
}

export class RememberedResults {
  readonly #dataVersion: StatementSync
  readonly #tenants = new Map<BoundValue, OfTenant>()
  readonly #roundNow: () => number | undefined
  #characters = 0
  #version: unknown
  /** The round in which the version was read. */
  #round: number | undefined

  /**
   * @param sources all rows that the results follow from
   * @param round the round of the event loop, in which other connections are asked about once; undefined: each time
   */
  constructor(
    database: DatabaseSync,
    sources: readonly ResultSource[],
    round: () => number | undefined = () => undefined,
  ) {
    this.#roundNow = round
    this.#dataVersion = database.prepare('PRAGMA data_version')
    this.#dataVersion.setReturnArrays(true)
    database.function('forget_results', (tenant, id) => {
      this.#forget(String(tenant), id === null ? undefined : String(id))
      return null
    })
    for (const source of sources) database.exec(triggersOf(source))
  }

  /** The results of all statements, as of now. @returns undefined unless all are known */
  all(statements: readonly StatementToRun[]): readonly RememberedResult[] | undefined {
    if (statements.length === 0) return undefined
    const results: RememberedResult[] = []
    for (const statement of statements) {
      const entry = this.#entryOf(statement)
      if (entry === undefined) return undefined
      results.push(entry.recalled)
    }
    const round = this.#roundNow()
    if (round !== undefined && round === this.#round) return results
    this.#round = round
    return this.refresh() ? results : undefined
  }

  /** Another connection of this process has written. */
  askAgain(): void {
    this.#round = undefined
  }

  /**
   * Forgets everything if another connection has written. Called at the beginning of a transaction that reads, so that it sees
   * what the version says.
   *
   * @returns whether the results are still known
   */
  refresh(): boolean {
    const [version] = this.#dataVersion.get() as unknown as [number]
    if (version === this.#version) return true
    this.#version = version
    this.#forgetAll()
    return false
  }

  /** The result as of the last refresh. */
  get(statement: StatementToRun): D1Result<never> | undefined {
    return this.#entryOf(statement)?.result
  }

  #entryOf({ sql, params }: StatementToRun): Entry | undefined {
    const entry = this.#tenants
      .get(params[0] ?? null)
      ?.byStatement.get(sql)
      ?.get(params.at(-1) ?? null)
    if (entry === undefined) return undefined
    for (let i = 1; i < params.length - 1; i++) if (params[i] !== entry.params[i]) return undefined
    return entry
  }

  /** Remembers the result of a marked statement in a transaction that only reads, if it has one row. */
  remember({ sql, params }: StatementToRun, mark: string, result: D1Result<never>): void {
    const [row, ...others] = result.results as Readonly<Record<string, unknown>>[]
    const id = row?.[mark]
    if (row === undefined || others.length > 0 || typeof id !== 'string') return
    const characters = ENTRY_CHARACTERS + charactersOf(params) + charactersOf(Object.values(row))
    if (this.#characters + characters > MAX_CHARACTERS) this.#forgetAll()
    if (characters > MAX_CHARACTERS) return
    this.#characters += characters
    const { byStatement, byRow } = getOrInsert(this.#tenants, params[0] ?? null, newTenant)
    const among = getOrInsert(byStatement, sql, () => new Map<BoundValue, Entry>())
    const cost = { rowsRead: 1, rowsWritten: 0, durationMs: 0 }
    const recalled = { rows: result.results, changes: 0, cost, made: undefined }
    const repeated = { ...result, meta: { ...result.meta, duration: 0 } }
    const entry = { result: repeated, recalled, params, among, characters }
    among.set(params.at(-1) ?? null, entry)
    getOrInsert(byRow, id, (): Entry[] => []).push(entry)
  }

  #forget(tenant: string, id: string | undefined): void {
    const byRow = this.#tenants.get(tenant)?.byRow
    const forgotten = id === undefined ? byRow?.values() : [byRow?.get(id) ?? []]
    for (const entries of forgotten ?? []) {
      for (const { among, params, characters } of entries) {
        among.delete(params.at(-1) ?? null)
        this.#characters -= characters
      }
    }
    if (id === undefined) this.#tenants.delete(tenant)
    else byRow?.delete(id)
  }

  #forgetAll(): void {
    this.#tenants.clear()
    this.#characters = 0
  }
}

function newTenant(): OfTenant {
  return { byStatement: new Map(), byRow: new Map() }
}

function charactersOf(values: readonly unknown[]): number {
  return values.reduce((sum: number, value) => sum + (typeof value === 'string' ? value.length : 0), 0)
}

function getOrInsert<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

/** Temporary triggers belong to the connection, and are not stored. */
function triggersOf({ table, columns, concerns }: ResultSource): string {
  const update = columns === undefined ? 'UPDATE' : `UPDATE OF ${columns}`
  const events = { INSERT: ['NEW'], DELETE: ['OLD'], [update]: ['OLD', 'NEW'] }
  return Object.entries(events)
    .map(([event, rows]) => {
      const forget = rows.map((row) => `SELECT forget_results(${concerns(row)});`).join(' ')
      return `CREATE TEMP TRIGGER forget_${table}_${event.slice(0, 6)} AFTER ${event} ON main.${table} BEGIN ${forget} END;`
    })
    .join('\n')
}
