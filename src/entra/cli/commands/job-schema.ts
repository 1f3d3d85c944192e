/** `job-schema`: prints the JSON Schema of job files, for editors. The package and the binary have no such file. */
import { JOB_SCHEMA } from '../../documents/job-schema.ts'
import type { CommandContext } from './command.ts'

export async function jobSchema({ output }: CommandContext): Promise<number> {
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...JOB_SCHEMA }
  output.write(`${JSON.stringify(schema, null, 2)}\n`)
  return 0
}
