/**
 * The command line of `npm run backup`. The built modules have the same command, for a machine without npm.
 */
import process from 'node:process'
import { backUpAll } from './backup.ts'
import { StartError } from './start-error.ts'

const USAGE = `npm run backup -- FILE

  FILE  the name of the copy, of which there must be no file yet; the database is that of the folder "data", or of DATA_FOLDER`

const [target, ...rest] = process.argv.slice(2)
if (target === '--help' || target === '-h') {
  console.log(USAGE)
  process.exit(0)
}
if (target === undefined || target.startsWith('-') || rest.length > 0) {
  const found = process.argv.length > 2 ? `"${process.argv.slice(2).join(' ')}"` : 'nothing'
  console.error(`error: a backup needs the name of one file, found ${found}\n\n${USAGE}`)
  process.exit(1)
}
await backUpOrExit(target)

async function backUpOrExit(file: string): Promise<void> {
  try {
    await backUpAll(process.env.DATA_FOLDER || 'data', file, (line) => console.log(line))
  } catch (error) {
    console.error(error instanceof StartError ? `error: ${error.message}` : error)
    process.exit(1)
  }
}
