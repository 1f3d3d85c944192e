/** A receiver of webhooks on this machine, which answers as a test wants. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

export interface ReceivedEvent {
  readonly id: string
  readonly type: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  // biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
  readonly event: any
}

/** Answers a delivery. The default is 204. */
export type Answering = (response: ServerResponse, event: ReceivedEvent, count: number) => void

export interface Receiver {
  readonly url: string
  /** In the order of arrival, repetitions included. */
  readonly received: readonly ReceivedEvent[]
  answering: Answering
  close(): Promise<void>
}

const ACCEPT: Answering = (response) => response.writeHead(204).end()

export async function startReceiver(answering: Answering = ACCEPT, port = 0): Promise<Receiver> {
  const received: ReceivedEvent[] = []
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const event = JSON.parse(body)
      const headers = request.headers as Record<string, string>
      const one = { id: event.id, type: event.type, headers, body, event }
      received.push(one)
      receiver.answering(response, one, received.length)
    })
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    received,
    answering,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
  return receiver
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

/** Verifies a delivery with the public library, unchanged. @throws if a signature or the time is wrong */
export function verified(secret: string, { body, headers }: ReceivedEvent): unknown {
  return new Webhook(secret).verify(body, headers)
}
