/** Servers on 127.0.0.1. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { UsageError } from './usage-error.ts'

/**
 * @param port 0 chooses a free one
 * @param what the server, for the message
 * @param inUse what to do if the port is in use
 * @returns the port
 * @throws {UsageError}
 */
export function listen(server: Server, port: number, what: string, inUse: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? `the port is in use; ${inUse}` : error.message
      reject(new UsageError(`${what} cannot listen on 127.0.0.1:${port}: ${reason}`))
    })
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  })
}
