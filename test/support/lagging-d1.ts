/**
 * A simulated D1 with one replica that lags as far as allowed. D1 has no replicas locally, so this follows the documentation
 * (https://developers.cloudflare.com/d1/best-practices/read-replication/): writes go to the primary. A session that starts
 * with "first-primary" reads from the primary. A session that starts with a bookmark may read from the replica, which then
 * has at least the state of the bookmark, and here exactly that. Any other session reads the current state of the replica.
 *
 * Consists of two SQLite databases with D1's interface. The writes to the first are replayed on the second.
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
  /** All writes, in the order of the primary. A bookmark is their number. */
  readonly #writes: SqliteStatement[][] = []
  #applied = 0
  /** Batches run sequentially, so that their order is that of the log. */
  #tail: Promise<unknown> = Promise.resolve()
  /** The database of each batch. */
  served: ('primary' | 'replica')[] = []
  /** The start of each session. */
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

/** As long as a real bookmark, so that code cannot treat it as a number. */
function bookmarkOf(writes: number): string {
  return String(writes).padStart(32, '0')
}
