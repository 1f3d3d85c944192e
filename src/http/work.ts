import type { Context } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { Work } from '../scim/work.ts'

/** The work counter of the request, or of the bulk request that contains it. */
export function workOf(c: Context<HttpEnv>): Work {
  const work = c.get('work') ?? c.env.work ?? new Work()
  c.set('work', work)
  return work
}
