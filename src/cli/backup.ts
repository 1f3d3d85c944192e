/** The command `backup`: copies the database of a data folder, also while a server runs on it. */
import { fail } from '../self-hosted/fail.ts'
import { dataFolder } from '../self-hosted/settings.ts'
import { backUpAll } from '../sqlite/backup.ts'
import { parseOptions } from './options.ts'
import { callOf } from './program.ts'

const USAGE = `${callOf('backup')} FILE [--data DIR]

  FILE        the name of the copy, of which there must be no file yet
  --data DIR  the folder of the database; that of DATA_FOLDER, or "data", by default`

/** @returns the exit code */
export async function backup(args: readonly string[]): Promise<number> {
  const { chosen, positionals } = parseOptions(args, { data: 'DATA_FOLDER' }, USAGE, 'FILE')
  try {
    await backUpAll(dataFolder(chosen), positionals[0] ?? '', (line) => console.log(line))
    return 0
  } catch (error) {
    return fail(error)
  }
}
