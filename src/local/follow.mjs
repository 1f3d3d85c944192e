/**
 * `npm run follow`: follows the event feed of a directory with the project's Node.js.
 */
import { join } from 'node:path'
import { ensureInstalled, ownNode, ROOT, run } from './toolchain.mjs'

await ensureInstalled('use')
process.exitCode = await run(ownNode(), [join(ROOT, 'src', 'consumer', 'cli.ts'), ...process.argv.slice(2)])
