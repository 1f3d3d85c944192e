/**
 * A D1 with one replica that lags as far as it may. It has no replica locally, so this is one after the documentation
 * (https://developers.cloudflare.com/d1/best-practices/read-replication/): writes go to the primary; a session
 * that begins "first-primary" reads there; one that begins with a bookmark may read at the replica, which then is
 * as new as the bookmark, and here no newer; one without either reads whatever the replica has.
 *
 * Two SQLite databases with D1's shape; the writes of the first are run again on the second.
 */
import { DatabaseSync } from 'node:sqlite'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import type { SqliteStatement } from '../../src/sqlite/d1-statement.ts'
import type { Migration } from '../../src/sqlite/migrations.ts'
import { migrate } from '../../src/sqlite/migrations.ts'
import type { D1Binding } from '../../src/storage/database/database.ts'

export class LaggingD1 {
  readonly #primary: SqliteD1
  readonly #replica: SqliteD1
  /** Every write, in the order of the primary; a bookmark is how many there were. */
  readonly #writes: SqliteStatement[][] = []
  #applied = 0
  /** One batch after the other: their order is that of the log. */
  #tail: Promise<unknown> = Promise.resolve()
  /** Where each batch ran. */
  served: ('primary' | 'replica')[] = []
  /** What each session began with. */
  sessions: string[] = []
  isReplicaDown = false
  beforeWrite: (() => Promise<void>) | undefined

  constructor(migrations: readonly Migration[]) {
    this.#primary = opened(migrations)
    this.#replica = opened(migrations)
  }

  get binding(): D1Binding & Pick<D1Database, 'withSession'> {
    return this as unknown as D1Binding & Pick<D1Database, 'withSession'>
  }

  prepare(sql: string): SqliteStatement {
    return this.#primary.prepare(sql)
  }

  async batch(statements: SqliteStatement[]): Promise<unknown> {
    if (statements.some(isWrite)) await this.beforeWrite?.()
    return await this.#inOrder(() => this.#atPrimary(statements))
  }

  withSession(start: string) {
    this.sessions.push(start)
    let seen = start.startsWith('first-') ? undefined : start
    return {
      prepare: (sql: string) => this.prepare(sql),
      getBookmark: () => seen ?? null,
      batch: (statements: SqliteStatement[]) =>
        this.#inOrder(async () => {
          if (statements.some(isWrite) || (seen === undefined && start === 'first-primary')) {
            const results = await this.#atPrimary(statements)
            seen = bookmarkOf(this.#writes.length)
            return results
          }
          const results = await this.#atReplica(statements, Number(seen ?? 0))
          seen = bookmarkOf(this.#applied)
          return results
        }),
    }
  }

  async #atPrimary(statements: SqliteStatement[]) {
    this.served.push('primary')
    const results = await this.#primary.batch(statements)
    if (statements.some(isWrite)) this.#writes.push(statements)
    return results
  }

  async #atReplica(statements: SqliteStatement[], atLeast: number) {
    if (this.isReplicaDown) throw new Error('D1_ERROR: Network connection lost.')
    this.served.push('replica')
    for (; this.#applied < atLeast; this.#applied++) {
      await this.#replica.batch(this.#writes[this.#applied] ?? [])
    }
    return await this.#replica.batch(statements)
  }

  #inOrder<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(run)
    this.#tail = result.catch(() => undefined)
    return result
  }
}

function opened(migrations: readonly Migration[]): SqliteD1 {
  const database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true })
  migrate(database, migrations)
  return new SqliteD1(database)
}

function isWrite({ sql }: SqliteStatement): boolean {
  return !/^\s*(?:SELECT|WITH)\b/i.test(sql)
}

/** As long as a real one, so that nobody takes it for a number. */
function bookmarkOf(writes: number): string {
  return String(writes).padStart(32, '0')
}
