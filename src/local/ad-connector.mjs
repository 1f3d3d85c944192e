/**
 * `npm run ad-connector`: writes a directory file as an on-premises AD connector, with the project's Node.js.
 */
import { join } from 'node:path'
import { ensureInstalled, ownNode, ROOT, run } from './toolchain.mjs'

await ensureInstalled('use')
process.exitCode = await run(ownNode(), [
  join(ROOT, 'src', 'entra', 'cli', 'ad-connector.ts'),
  ...process.argv.slice(2),
])
