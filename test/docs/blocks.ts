/** The commands in the documents: the code blocks with the language "sh". */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pageFiles } from '../../docs/.vitepress/pages.mjs'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Block {
  readonly page: string
  readonly text: string
}

/** All blocks of all pages of the site, in their order. */
export function blocks(): readonly Block[] {
  return pageFiles().flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(
      ([, indent = '', text = '']) => ({ page, text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), '') }),
    ),
  )
}

/** Blocks that are not run as they are, by their page and the beginning of their text, with the reason. */
export const NOT_RUN: readonly (readonly [page: string, beginning: string, reason: string])[] = [
  [
    'README.md',
    'npm ci && npx wrangler login',
    'needs an account; test/deploy/ deploys to a stand-in for the API of Cloudflare',
  ],
  ['README.md', 'npm install ./scim-worker', 'test/release/package.test.ts installs the tarball and serves'],
  [
    'README.md',
    'npm start',
    'does not end; test/local/start.test.ts runs it, and test/local/commands.test.ts reads npm test',
  ],
  ['docs/operate/deploy.md', 'npm ci && npx wrangler login', 'as in README.md'],
  ['docs/operate/package.md', 'npm install ./scim-worker', 'as in README.md'],
  [
    'docs/operate/package.md',
    'npm run build:binary',
    'test/release/binary.test.ts builds the one of this machine',
  ],
  ['docs/operate/package.md', 'docker build', 'needs Docker; test/local/container.test.ts reads the files'],
  [
    'docs/operate/package.md',
    'PUBLIC_URL=',
    'needs Docker and a bucket; test/local/container.test.ts reads the files',
  ],
  [
    'docs/operate/self-hosting.md',
    'npm ci',
    'does not end; test/deno/server.test.ts runs the server with the same permissions',
  ],
  [
    'docs/operate/history.md',
    'curl "http://127.0.0.1:8787/admin/api/tenants/default/history',
    'names an id and a time of an example; test/docs/blocks.test.ts finds its routes, and test/http/history.test.ts sends such requests',
  ],
  [
    'docs/operate/history.md',
    'curl "http://127.0.0.1:8787/admin/api/tenants/default/tombstones',
    'likewise; test/http/tombstones.test.ts',
  ],
  [
    'docs/operate/history.md',
    'curl -X POST "http://127.0.0.1:8787/admin/api/tenants/default/undo',
    'likewise; test/http/undo.test.ts',
  ],
  ['docs/operate/metrics.md', 'OTEL_DENO', 'needs a collector of OpenTelemetry'],
  ['docs/operate/metrics.md', 'OTEL_SERVICE_NAME', 'likewise, and its packages'],
  ['docs/operate/litestream.md', 'litestream replicate', 'test/deno/litestream.test.ts replicates'],
  ['docs/operate/litestream.md', 'umask 077', 'test/deno/litestream.test.ts restores'],
  [
    'docs/connect/oauth.md',
    'npm run entra -- issuer',
    'does not end; test/http/oauth/federation.test.ts and test/entra/cli/ do its steps',
  ],
  ['docs/consume/events.md', 'npm run follow', 'does not end; test/local/follow.test.ts runs it'],
  [
    'src/entra/providers/README.md',
    'export ENTRA_SECRET_TOKEN',
    'has a part left out; docs/connect/ has commands for each provider',
  ],
]

export function reasonNotToRun({ page, text }: Block): string | undefined {
  return NOT_RUN.find(([where, beginning]) => where === page && text.startsWith(beginning))?.[2]
}
