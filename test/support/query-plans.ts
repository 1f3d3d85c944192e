/**
 * The query plans of the statements of a request. Independent of how the statements are built.
 */
import { env } from 'cloudflare:workers'
import type { D1Binding } from '../../src/storage/database.ts'

/** A binding that records the steps of the query plans of all its statements. */
export function noting(): { binding: D1Binding; plans: () => Promise<readonly string[]> } {
  const statements: D1PreparedStatement[] = []
  const prepare = (text: string) => {
    const prepared = env.DB.prepare(text)
    const explained = env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
    return {
      bind: (...params: unknown[]) => {
        statements.push(explained.bind(...params))
        return prepared.bind(...params)
      },
    } as unknown as D1PreparedStatement
  }
  return {
    binding: { prepare, batch: (list: D1PreparedStatement[]) => env.DB.batch(list) },
    plans: async () => {
      const plans = await env.DB.batch<{ detail: string }>(statements)
      return plans.flatMap(({ results }) => results.map(({ detail }) => detail))
    },
  }
}
