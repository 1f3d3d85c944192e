/**
 * An import does its work in parts, between which the requests of others run: in one process, they wait for each part.
 */
import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { writeImportBatch } from '../../src/storage/transfer/import.ts'

it('encodes at most 100 resources before requests run', async () => {
  /** The resources that were encoded in this round of the event loop. */
  const encoded = new Set<number>()
  let most = 0
  const records = Array.from({ length: 1_000 }, (_, i) => ({
    kind: 'user',
    id: `u${i}`,
    version: 1,
    createdAt: 0,
    lastModified: 0,
    resource: {
      get userName() {
        most = Math.max(most, encoded.add(i).size)
        return `u${i}`
      },
    },
  }))
  let sent = 0
  const db = {
    batch: async (statements: readonly unknown[]) => {
      sent = statements.length
      return []
    },
  }
  const written = writeImportBatch(db, RESOURCE_TYPES, 'default', {
    before: undefined,
    after: undefined,
    records,
  })
  const isWritten = written.then(() => true)
  const inNextRound = async () => {
    await setImmediate()
    encoded.clear()
    return false
  }
  while (!(await Promise.race([isWritten, inNextRound()]))) {
    // Requests would run here.
  }
  expect(sent).toBe(await written)
  expect(most).toBe(100)
})
