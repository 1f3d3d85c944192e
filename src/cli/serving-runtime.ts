/** The runtimes that can serve: those with the parts of node:sqlite that src/sqlite uses. */
import process from 'node:process'

/** Its node:sqlite has `limits`, which are read before anything is stored: https://nodejs.org/api/sqlite.html */
const MIN_NODE = '24.15'

/**
 * Ends the process with one line if the runtime is too old for a command of the server. Its remedy names no package
 * `scim-worker`: npx would download that name from the registry, where it may belong to somebody else.
 */
export function requireServingRuntime(command: string): void {
  if (canServe()) return
  console.error(
    `error: "${command}" needs Node.js ${MIN_NODE} or newer, found ${process.versions.node}; without installing it: ` +
      `npx --package=node@24 -c 'scim-worker ${command}'`,
  )
  process.exit(1)
}

function canServe(): boolean {
  // Node.js 22 has node:sqlite without limits, and warns when it is loaded.
  if (Number(process.versions.node.split('.')[0]) < 24) return false
  const sqlite = process.getBuiltinModule('node:sqlite')
  if (sqlite === undefined) return false
  const database = new sqlite.DatabaseSync(':memory:')
  try {
    return 'limits' in database
  } finally {
    database.close()
  }
}
