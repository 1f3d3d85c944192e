/**
 * `npm run deploy`: deploys the Worker, the first time or again. deploy-worker.mjs does the work, because it needs the
 * project's own Node.js.
 */
import { join } from 'node:path'
import { ensureInstalled, ownNode, ROOT, run } from './toolchain.mjs'

await ensureInstalled('use')
const script = join(ROOT, 'src', 'local', 'deploy-worker.mjs')
process.exitCode = await run(ownNode(), [script, ...process.argv.slice(2)])
