/** The handler that explains a request. */
import type { explainRoutes } from '../contract/explain.ts'
import { explainRequest } from '../explain/explain.ts'
import type { Handlers } from './serve.ts'

export const explainHandlers: Handlers<typeof explainRoutes> = {
  async explainRequest({ parameters: { id }, body, c }) {
    return { status: 200, body: await explainRequest(c, id, body) }
  },
}
