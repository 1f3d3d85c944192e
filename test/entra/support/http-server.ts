/** Serves a store on 127.0.0.1, for tests of the command line. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Fetch } from '../../../src/entra/protocol/fetch.ts'
import { BASE } from './scim-store.ts'

export interface TestServer {
  readonly origin: string
  readonly tenantUrl: string
  close(): Promise<void>
}

export async function serveStore(store: { readonly fetch: Fetch }): Promise<TestServer> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    const answer = (await store.fetch(new URL(BASE).origin + request.url, {
      method: request.method ?? 'GET',
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
      ...(text === '' ? {} : { body: text }),
    })) as Response
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(await answer.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    tenantUrl: `http://127.0.0.1:${port}/scim/v2`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
