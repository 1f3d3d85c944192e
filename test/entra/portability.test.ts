/** The emulator runs on any runtime: only its command line knows Node.js. test/architecture.test.ts checks the imports. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const FOLDER = join(import.meta.dirname, '../../src/entra')
const portable = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !/^cli[./\\]/.test(name),
)

describe('a file outside the command line', () => {
  it('exists: the search finds the engine', () => {
    expect(portable).toContain(join('engine', 'cycle.ts'))
  })

  it.each(portable)('%s reads neither the system clock nor a random source nor a Node.js global', (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8')
    expect(text.match(/\bDate\.now\(|\bMath\.random\(|\bprocess\.|\bnew Date\(\)|\bBuffer\b/g)).toBeNull()
  })
})
