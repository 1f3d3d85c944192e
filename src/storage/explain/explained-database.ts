/**
 * A database on which a request runs without leaving anything behind. The guards, rules and triggers of the database hold
 * as in a real request, because each batch of a write runs as it is, and is then rolled back.
 */
import { type Database, RolledBack, type Statement, type StatementResult } from '../database/database.ts'
import {
  type BatchEffects,
  type Effects,
  type ExplainedRequest,
  NO_EFFECTS,
  newestEventStatement,
  rollBackStatement,
} from './effects.ts'
import { admitStatements, dismissStatements, type TemporaryToken } from './temporary-token.ts'

const NOTHING: StatementResult = { rows: [], changes: 0 }

/** Opens databases for one explained request, and collects what its writes would leave. */
export class Explanation {
  readonly #token: TemporaryToken
  readonly #request: Omit<ExplainedRequest, 'seq'>
  #effects: Effects = NO_EFFECTS

  /** @param request whose ids may still grow */
  constructor(token: TemporaryToken, request: Omit<ExplainedRequest, 'seq'>) {
    this.#token = token
    this.#request = request
  }

  /** The effects of the last batch that would have been stored. */
  get effects(): Effects {
    return this.#effects
  }

  open(db: Database): Database {
    const { hasThread = false } = db
    return {
      isExplained: true,
      hasThread,
      batch: (statements, isLong) => this.#batch(db, statements, isLong),
    }
  }

  async #batch(
    db: Database,
    statements: readonly Statement[],
    isLong: boolean | undefined,
  ): Promise<readonly StatementResult[]> {
    const done = statements.filter((one) => !isTouch(one))
    const lastWrite = done.findLast((one) => !isRead(one))
    const reads = new Map(
      done.flatMap((one) => {
        const read = isRead(one) ? one : one.returned?.()
        return read === undefined ? [] : [[one, read] as const]
      }),
    )
    const [rows, seq] = await this.#read(db, reads, isLong)
    const changes = lastWrite === undefined ? 0 : await this.#rollBack(db, done, seq, isLong)
    return statements.map((one) => {
      const found = rows.get(one) ?? NOTHING
      return one === lastWrite ? { ...found, changes } : found
    })
  }

  /** Reads the state before the batch: no batch reads what it has written. */
  async #read(
    db: Database,
    reads: ReadonlyMap<Statement, Statement>,
    isLong: boolean | undefined,
  ): Promise<readonly [ReadonlyMap<Statement, StatementResult>, number]> {
    const before = admitStatements(this.#token)
    const newest = newestEventStatement(this.#token.tenantId)
    const results = await db.batch(
      [...before, newest, ...reads.values(), ...dismissStatements(this.#token)],
      isLong,
    )
    const [counted, ...found] = results.slice(before.length)
    return [
      new Map([...reads.keys()].map((one, i) => [one, found[i] ?? NOTHING])),
      Number(counted?.rows[0]?.seq ?? 0),
    ]
  }

  /** @returns the rows that the last statement would change @throws what the batch throws */
  async #rollBack(
    db: Database,
    statements: readonly Statement[],
    seq: number,
    isLong: boolean | undefined,
  ): Promise<number> {
    const end = rollBackStatement({ ...this.#request, seq })
    try {
      await db.batch([...admitStatements(this.#token), ...statements, end], isLong)
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error
      const { changes, ...effects } = JSON.parse(error.text) as BatchEffects
      this.#effects = effects
      return changes
    }
    throw new Error('the batch of an explained request was stored')
  }
}

/** The writes of "last used" do not belong to the request. */
function isTouch({ sql }: Statement): boolean {
  return /^UPDATE (?:tokens|clients) SET /i.test(sql)
}

function isRead({ sql }: Statement): boolean {
  return /^(?:SELECT|WITH|EXPLAIN) /i.test(sql)
}
