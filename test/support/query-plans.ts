/**
 * The query plans of the statements of a request. Independent of how the statements are built.
 */
import { env } from 'cloudflare:workers'
import type { D1Binding } from '../../src/storage/database/database.ts'

/** A binding that records the steps of the query plans of all its statements. */
export function noting(database = env.DB): { binding: D1Binding; plans: () => Promise<readonly string[]> } {
  const statements: D1PreparedStatement[] = []
  const prepare = (text: string) => {
    const prepared = database.prepare(text)
    const explained = database.prepare(`EXPLAIN QUERY PLAN ${text}`)
    return {
      bind: (...params: unknown[]) => {
        statements.push(explained.bind(...params))
        return prepared.bind(...params)
      },
    } as unknown as D1PreparedStatement
  }
  return {
    binding: { prepare, batch: (list: D1PreparedStatement[]) => database.batch(list) },
    plans: async () => {
      const plans = await database.batch<{ detail: string }>(statements)
      return plans.flatMap(({ results }) => results.map(({ detail }) => detail))
    },
  }
}
