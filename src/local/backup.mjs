/**
 * `npm run backup -- FILE`: copies the database of a self-hosted server, also while the server runs.
 */
import { join } from 'node:path'
import { ensureInstalled, ownNode, ROOT, run } from './toolchain.mjs'

await ensureInstalled('use')
process.exitCode = await run(ownNode(), [
  join(ROOT, 'src', 'cli', 'bin.mjs'),
  'backup',
  ...process.argv.slice(2),
])
