/** The handlers that compare an export with the directory. */

import { driftCsv } from '../../drift/difference.ts'
import { readChunks } from '../../edge/body.ts'
import type { driftRoutes } from '../contract/drift.ts'
import { driftOf } from '../drift.ts'
import { AdminError } from '../errors.ts'
import type { Handlers } from './serve.ts'

export const driftHandlers: Handlers<typeof driftRoutes> = {
  async compareExport({ db, parameters: { id }, query, c }) {
    return { status: 200, body: await driftOf(c, db, id, { ...query, bytes: readChunks(c.req.raw) }) }
  },

  async compareExportAsCsv({ db, parameters: { id }, query, c }) {
    const result = await driftOf(c, db, id, { ...query, bytes: readChunks(c.req.raw) })
    if (result.verdict === 'unrelated') throw new AdminError(409, 'conflict', result.summary)
    return c.body(driftCsv(result), 200, { 'Content-Type': 'text/csv; charset=utf-8' })
  },
}
