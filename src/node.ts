/**
 * The Node.js entry: the service behind @hono/node-server. `backup FILE` copies the databases.
 */
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { prepare, runCommand } from './self-hosted/main.ts'
import { serveOnNode } from './self-hosted/node-server.ts'

await runCommand(process.argv.slice(2))
// The young generation stays as small as it begins. On a machine with much memory, the rows of long lists would let it grow to
// 128 MB. The garbage collector reads this flag each time; --max-semi-space-size has no effect once the process runs.
setFlagsFromString('--semi-space-growth-factor=1')
serveOnNode(prepare())
