/**
 * Results of marked statements in memory: see storage/database/remembered.ts. They are exact. Triggers of this connection
 * forget a result with each change of a row that it follows from, whichever statement makes it. If another connection has
 * written to the file, all are forgotten. No write reads or stores a result, because it may be rolled back.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { D1Result } from '@cloudflare/workers-types'
import type { Mark, ResultSource } from '../storage/database/remembered.ts'
import type { BoundValue, StatementToRun } from './d1-statement.ts'

/** The most characters of all results with their keys. Beyond it, the memory begins anew. */
const MAX_CHARACTERS = 16 * 1024 * 1024
/** About what an entry takes besides its characters. */
const ENTRY_CHARACTERS = 300

interface Entry {
  readonly result: D1Result<never>
  readonly key: string
  /** The entries of the same statement, by the key of their parameters. */
  readonly among: Map<string, Entry>
  readonly characters: number
}

export class RememberedResults {
  readonly #dataVersion: StatementSync
  readonly #byStatement = new Map<string, Map<string, Entry>>()
  /** By tenant and id of the row that they follow from. */
  readonly #byRow = new Map<string, Map<string, Entry[]>>()
  #characters = 0
  #version: unknown

  /** @param sources all rows that the results follow from */
  constructor(database: DatabaseSync, sources: readonly ResultSource[]) {
    this.#dataVersion = database.prepare('PRAGMA data_version')
    this.#dataVersion.setReturnArrays(true)
    database.function('forget_results', (tenant, id) => {
      this.#forget(String(tenant), id === null ? undefined : String(id))
      return null
    })
    for (const source of sources) database.exec(triggersOf(source))
  }

  /** The results of all statements, as of now. @returns undefined unless all are known */
  all(statements: readonly StatementToRun[]): D1Result<never>[] | undefined {
    const results: D1Result<never>[] = []
    for (const statement of statements) {
      const result = this.get(statement)
      if (result === undefined) return undefined
      results.push(result)
    }
    return this.refresh() ? results : undefined
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
  get({ sql, params }: StatementToRun): D1Result<never> | undefined {
    const among = this.#byStatement.get(sql)
    return among?.get(keyOf(params))?.result
  }

  /** Remembers the result of a marked statement in a transaction that only reads, if it has one row. */
  remember({ sql, params }: StatementToRun, mark: Mark, result: D1Result<never>): void {
    const [row, ...others] = result.results as Readonly<Record<string, unknown>>[]
    const [id, tenant] = [row?.[mark.id], params[mark.tenant]]
    if (row === undefined || others.length > 0 || typeof id !== 'string' || typeof tenant !== 'string') return
    const key = keyOf(params)
    const characters = ENTRY_CHARACTERS + key.length + charactersOf(row)
    if (this.#characters + characters > MAX_CHARACTERS) this.#forgetAll()
    if (characters > MAX_CHARACTERS) return
    this.#characters += characters
    const among = getOrInsert(this.#byStatement, sql, () => new Map<string, Entry>())
    const meta = { ...result.meta, duration: 0 }
    const entry = { result: { ...result, meta }, key, among, characters }
    among.set(key, entry)
    const ofTenant = getOrInsert(this.#byRow, tenant, () => new Map<string, Entry[]>())
    getOrInsert(ofTenant, id, (): Entry[] => []).push(entry)
  }

  #forget(tenant: string, id: string | undefined): void {
    const ofTenant = this.#byRow.get(tenant)
    if (ofTenant === undefined) return
    const forgotten = id === undefined ? [...ofTenant.values()] : [ofTenant.get(id) ?? []]
    for (const { among, key, characters } of forgotten.flat()) {
      among.delete(key)
      this.#characters -= characters
    }
    if (id === undefined) this.#byRow.delete(tenant)
    else ofTenant.delete(id)
  }

  #forgetAll(): void {
    this.#byStatement.clear()
    this.#byRow.clear()
    this.#characters = 0
  }
}

/** Different for different values, also of different types. */
function keyOf(params: readonly BoundValue[]): string {
  let key = ''
  for (const value of params)
    key += typeof value === 'string' ? `${value.length}:${value}` : `${typeof value} ${value},`
  return key
}

function charactersOf(row: Readonly<Record<string, unknown>>): number {
  let characters = 0
  for (const name in row) {
    const value = row[name]
    if (typeof value === 'string') characters += value.length
  }
  return characters
}

function getOrInsert<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
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
