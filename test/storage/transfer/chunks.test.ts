import { expect, it } from 'vitest'
import { ChunkCutter } from '../../../src/storage/transfer/chunks.ts'

it('holds blank lines without their characters, so that compressed ones cannot fill the memory', () => {
  const cutter = new ChunkCutter()
  const blank = ' '.repeat(1_000_000)
  for (let i = 0; i < 1_000; i++) expect(cutter.add(blank)).toBeUndefined()
  cutter.add('{}')
  const { lines } = cutter.rest()
  expect([lines.length, lines.join('')]).toEqual([1_001, '{}'])
})
