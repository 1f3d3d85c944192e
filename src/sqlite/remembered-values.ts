/**
 * Values of an expression in memory, by tenant and id of a row: see storage/database/remembered.ts. They are exact. Triggers of
 * this connection forget a value with each change of a row that it follows from, whichever statement makes it. If another
 * connection has written to the file, all are forgotten. No write reads or stores a value, because it may be rolled back.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { replaceRemembered, type ValueSource } from '../storage/database/remembered.ts'

/** The most characters of all values with their ids. Beyond it, the memory begins anew. */
const MAX_CHARACTERS = 16 * 1024 * 1024
/** About what an entry of a Map takes besides its characters. */
const ENTRY_CHARACTERS = 100

export class RememberedValues {
  readonly #dataVersion: StatementSync
  readonly #byTenant = new Map<string, Map<string, string>>()
  #characters = 0
  #version: unknown
  #isOpen = false

  /** @param sources all rows that the values follow from */
  constructor(database: DatabaseSync, sources: readonly ValueSource[]) {
    this.#dataVersion = database.prepare('PRAGMA data_version')
    this.#dataVersion.setReturnArrays(true)
    database.function('known_value', (tenant, id) => this.#known(String(tenant), String(id)))
    database.function('remember_value', (tenant, id, value) =>
      this.#remember(String(tenant), String(id), value),
    )
    database.function('forget_values', (tenant, id) => {
      this.#forget(String(tenant), id === null ? undefined : String(id))
      return null
    })
    for (const source of sources) database.exec(triggersOf(source))
  }

  /** The text of a statement with which this connection looks for a value before it evaluates the expression. */
  rewrite(text: string): string {
    return replaceRemembered(
      text,
      (key, value) => `coalesce(known_value(${key}), remember_value(${key}, ${value}))`,
    )
  }

  /** Lets a transaction that only reads use the values. Called at its beginning, so that it sees what the version says. */
  open(): void {
    const [version] = this.#dataVersion.get() as unknown as [number]
    if (version !== this.#version) this.#forgetAll()
    this.#version = version
    this.#isOpen = true
  }

  close(): void {
    this.#isOpen = false
  }

  #known(tenant: string, id: string): string | null {
    return this.#isOpen ? (this.#byTenant.get(tenant)?.get(id) ?? null) : null
  }

  #remember<Value>(tenant: string, id: string, value: Value): Value {
    if (!this.#isOpen || typeof value !== 'string') return value
    this.#characters += charactersOf(id, value)
    if (this.#characters > MAX_CHARACTERS) {
      this.#forgetAll()
      return value
    }
    const ofTenant = this.#byTenant.get(tenant)
    if (ofTenant === undefined) this.#byTenant.set(tenant, new Map([[id, value]]))
    else ofTenant.set(id, value)
    return value
  }

  #forget(tenant: string, id: string | undefined): void {
    const ofTenant = this.#byTenant.get(tenant)
    if (ofTenant === undefined) return
    const forgotten = id === undefined ? ofTenant : new Map([[id, ofTenant.get(id)]])
    for (const [key, value] of forgotten)
      if (value !== undefined) this.#characters -= charactersOf(key, value)
    if (id === undefined) this.#byTenant.delete(tenant)
    else ofTenant.delete(id)
  }

  #forgetAll(): void {
    this.#byTenant.clear()
    this.#characters = 0
  }
}

function charactersOf(id: string, value: string): number {
  return ENTRY_CHARACTERS + id.length + value.length
}

/** Temporary triggers belong to the connection, and are not stored. */
function triggersOf({ table, columns, concerns }: ValueSource): string {
  const events = { INSERT: ['NEW'], DELETE: ['OLD'], [`UPDATE OF ${columns}`]: ['OLD', 'NEW'] }
  return Object.entries(events)
    .map(([event, rows]) => {
      const forget = rows.map((row) => `SELECT forget_values(${concerns(row)});`).join(' ')
      return `CREATE TEMP TRIGGER forget_${table}_${event.slice(0, 6)} AFTER ${event} ON main.${table} BEGIN ${forget} END;`
    })
    .join('\n')
}
