/**
 * The Node.js entry: the service behind @hono/node-server. `backup FILE` copies the databases.
 */
import process from 'node:process'
import { runCommand, start } from './self-hosted/main.ts'
import { listenOnNode } from './self-hosted/node-server.ts'

await runCommand(process.argv.slice(2))
listenOnNode(start())
