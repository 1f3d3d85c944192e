/**
 * `npm run deploy`: from nothing to a running Worker, and again for what changed. The work is in deploy-worker.mjs,
 * which needs the project's own Node.js.
 */
import { join } from 'node:path'
import { ensureInstalled, ownNode, ROOT, run } from './toolchain.mjs'

await ensureInstalled()
const script = join(ROOT, 'src', 'local', 'deploy-worker.mjs')
process.exitCode = await run(ownNode(), [script, ...process.argv.slice(2)])
