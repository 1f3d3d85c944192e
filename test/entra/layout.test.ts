/** What holds the folder together: the cycle runs anywhere. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const FOLDER = join(import.meta.dirname, '../../src/entra')
const portable = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && name !== 'cli.ts')

describe('the files outside of cli/', () => {
  it.each(portable)('%s imports only its neighbours and reads neither clock nor chance', (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8')
    const imports = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1])
    expect(imports.filter((specifier) => !/^\.\/[a-z-]+\.ts$/.test(specifier ?? ''))).toEqual([])
    expect(text.match(/\bDate\.now\(|\bMath\.random\(|\bprocess\.|\bnew Date\(\)|\bBuffer\b/g)).toBeNull()
  })
})
