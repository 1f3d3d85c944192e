/**
 * The command line of `npm run backup`. The built modules have the same command, for a machine without npm.
 */
import process from 'node:process'
import { backUp } from './backup.ts'
import { databaseFile } from './open.ts'
import { StartError } from './start-error.ts'

const [target, ...rest] = process.argv.slice(2)
if (target === undefined || target.startsWith('-') || rest.length > 0) {
  console.error('error: npm run backup -- FILE takes the name of a file that does not exist yet')
  process.exit(1)
}
await backUpOrExit(target)

async function backUpOrExit(file: string): Promise<void> {
  try {
    const source = databaseFile(process.env.DATA_FOLDER || 'data')
    const bytes = await backUp(source, file)
    console.log(`${source} was copied to ${file}, ${bytes} bytes, and the copy is intact.`)
  } catch (error) {
    console.error(error instanceof StartError ? `error: ${error.message}` : error)
    process.exit(1)
  }
}
