/** What holds the folder together: the cycle runs anywhere, the job file's schema says what the reader accepts. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJobFile } from '../../src/entra/job-file.ts'
import { SCOPING_OPERATORS } from '../../src/entra/scoping-filter.ts'

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

describe('job.schema.json', () => {
  const schema = JSON.parse(readFileSync(join(FOLDER, 'job.schema.json'), 'utf8'))

  it('names the fields and operators that the reader knows', () => {
    const { problems } = parseJobFile({ unknown: 1 })
    const known = problems[0]?.message.replace(/^.*one of /, '').split(', ')
    expect(Object.keys(schema.properties).toSorted()).toEqual(known?.toSorted())
    expect(schema.$defs.scopingFilter.properties.clauses.items.properties.operator.enum).toEqual(
      SCOPING_OPERATORS,
    )
  })
})
