/** Handlers of the undo routes. */
import type { undoRoutes } from '../contract/undo.ts'
import { jobJson, undoneJson } from '../read-models.ts'
import { cancelUndoOf, previewUndoOf, startUndoOf, type UndoPage, undoResultOf } from '../undo.ts'
import type { Handlers } from './serve.ts'

export const undoHandlers: Handlers<typeof undoRoutes> = {
  async undo({ parameters: { id }, query: { cursor }, body: { preview, ...window }, c }) {
    if (!preview) return { status: 202, body: jobJson(await startUndoOf(c, id, window)) }
    const { clientName, counts, ...page } = await previewUndoOf(c, id, window, positionOf(cursor))
    return { status: 200, body: { clientName, counts, ...pageJson(page) } }
  },

  async getUndo({ parameters: { id, jobId }, query: { cursor }, c }) {
    const { job, ...page } = await undoResultOf(c, id, jobId, positionOf(cursor))
    return { status: 200, body: { job: jobJson(job), ...pageJson(page) } }
  },

  async cancelUndo({ parameters: { id }, c }) {
    return { status: 202, body: jobJson(await cancelUndoOf(c, id)) }
  },
}

function positionOf(cursor: string | undefined): number | undefined {
  return cursor === undefined ? undefined : Number(cursor)
}

function pageJson({ resources, next }: UndoPage) {
  return { resources: resources.map(undoneJson), nextCursor: next === undefined ? null : String(next) }
}
