/**
 * `npm run entra`: runs the emulator of Microsoft Entra's provisioning service with the project's Node.js.
 */
import { join } from 'node:path'
import { ensureInstalled, ownNode, ROOT, run } from './toolchain.mjs'

await ensureInstalled('use')
process.exitCode = await run(ownNode(), [join(ROOT, 'src', 'entra', 'cli.ts'), ...process.argv.slice(2)])
