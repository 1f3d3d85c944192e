/**
 * `npm run bench -- [section …]`: runs the benchmarks in test/bench with the project's Node.js.
 */
import { join } from 'node:path'
import { ensureInstalled, ownNode, ROOT, run } from './toolchain.mjs'

await ensureInstalled()
process.exitCode = await run(ownNode(), [join(ROOT, 'test', 'bench', 'main.ts'), ...process.argv.slice(2)])
