/**
 * The Node.js entry: the service behind @hono/node-server. `backup FILE` copies the databases.
 */
import process from 'node:process'
import { prepare, runCommand } from './self-hosted/main.ts'
import { serveOnNode } from './self-hosted/node-server.ts'

await runCommand(process.argv.slice(2))
serveOnNode(prepare())
