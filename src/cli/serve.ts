/** The command `serve`: creates the data folder if it is missing, and serves the directory in it. */
import { mkdirSync } from 'node:fs'
import { fail } from '../self-hosted/fail.ts'
import { prepare } from '../self-hosted/main.ts'
import { serveOnNode } from '../self-hosted/node-server.ts'
import { dataFolderName } from '../self-hosted/settings.ts'
import { startError } from '../sqlite/open.ts'
import { StartError } from '../sqlite/start-error.ts'
import { parseOptions } from './options.ts'
import { callOf } from './program.ts'

const USAGE = `${callOf('serve')} [--port PORT] [--host HOST] [--data DIR]

  --port PORT  the port to serve on; 8787 by default
  --host HOST  the address to serve on; 127.0.0.1 by default
  --data DIR   the folder of the database and of settings.env, created if it is missing; "data" by default

The environment and settings.env have all settings; an option takes precedence.`

const NEXT = (
  base: string,
) => `Next: sign in to the dashboard, press Generate Token under API Keys, and test the directory as
Microsoft Entra would:

  ENTRA_SECRET_TOKEN=<the token> ${callOf('check')} --tenant-url ${base}/scim/v2

Press Ctrl-C to stop.`

/** Serves until a signal ends the process. */
export async function serve(args: readonly string[]): Promise<undefined> {
  const { chosen } = parseOptions(args, { port: 'PORT', host: 'HOST', data: 'DATA_FOLDER' }, USAGE)
  createFolder(dataFolderName(chosen))
  serveOnNode(prepare(chosen), (base) => console.log(NEXT(base)))
}

/** The database has personal data, so only this user may read the folder. */
function createFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    // A file with this name: the check of the folder reports it.
    if (!(error instanceof Error && 'code' in error)) throw error
    if (error.code === 'EEXIST') return
    // ENOENT: a link that leads nowhere, or a file system that is read-only.
    const refusal = `the folder "${folder}" cannot be created (${error.message}); choose another one with --data`
    fail(error.code === 'ENOENT' ? new StartError(refusal) : startError(error, folder))
  }
}
