/** The endpoint to provision: a local server with an empty directory, or a given one. */
import { makeDirectory } from '../directory.ts'
import { type PeerName, start, stop } from '../peers/peer.ts'

export interface Endpoint {
  readonly tenantUrl: string
  readonly token: string
  close(): Promise<void>
}

/** @throws {Error} if the server does not start */
export async function startEndpoint(host: PeerName): Promise<Endpoint> {
  const { file, token } = await makeDirectory({ users: 0, groups: [] })
  const peer = await start(host, { database: file })
  return { tenantUrl: `http://127.0.0.1:${peer.port}/scim/v2`, token, close: () => stop(peer) }
}
