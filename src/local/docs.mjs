/**
 * `npm run docs`: builds the documents as a site in dist/docs. A link that leads nowhere ends the build with an error. `--serve` serves the
 * site on this machine.
 */
import { parseArgs } from 'node:util'
import { ensureInstalled, fail, run, toolCommand } from './toolchain.mjs'

const USAGE = `npm run docs -- [--serve] [--port 4173]

  --serve  serve the site on this machine after the build
  --port   the port to serve on; 4173 by default`

const { serve, port } = readArguments()
await ensureInstalled()
process.exitCode = await vitepress('build', 'docs')
if (serve && process.exitCode === 0) {
  process.exitCode = await vitepress('preview', 'docs', '--host', '127.0.0.1', '--port', port)
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        serve: { type: 'boolean', default: false },
        port: { type: 'string', default: '4173' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    return values
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

/** @param {string[]} args */
function vitepress(...args) {
  const [command, all] = toolCommand('vitepress/bin/vitepress.js', args)
  return run(command, all)
}
