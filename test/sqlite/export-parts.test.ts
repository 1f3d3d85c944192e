/**
 * An export does its work in parts, between which the requests of others run: in one process, they wait for each part.
 */
import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { exportedText } from '../../src/provider/transfer/export-lines.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'

const USERS = 500
const USER_CHARACTERS = 5_000
const PIECE_CHARACTERS = 250_000

it('writes at most 250,000 characters before requests run', async () => {
  const data = JSON.stringify({ userName: 'u'.repeat(USER_CHARACTERS) })
  const page = Array.from({ length: USERS }, (_, i) => ({ id: `u${i}`, version: 1, data, most: USERS + 1 }))
  let reads = 0
  const db = {
    batch: async () => [{ rows: reads++ === 0 ? page : [{ id: null }], changes: 0 }],
  }
  const source = { db, tenant: { id: 'default', createdAt: 0 }, types: RESOURCE_TYPES, extensions: [] }
  let rounds = 0
  let isExported = false
  const counting = (async () => {
    for (; !isExported; rounds++) await setImmediate()
  })()
  let characters = 0
  for await (const text of exportedText(source, false)) characters += text.length
  isExported = true
  await counting
  expect(characters).toBeGreaterThan(USERS * USER_CHARACTERS)
  expect(rounds).toBeGreaterThanOrEqual(characters / PIECE_CHARACTERS)
})
