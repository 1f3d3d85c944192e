/** Which addresses the webhooks of a self-hosted server reach. */
import { createSocket, type Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { isPublicAddress } from '../../src/self-hosted/public-address.ts'
import { webhookPost } from '../../src/self-hosted/webhook-post.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const PUBLIC = ['1.1.1.1', '11.0.0.1', '100.128.0.1', '172.32.0.1', '192.169.0.1', '223.255.255.255']
const PUBLIC_IPV6 = ['2606:4700::1111', '2a00:1450:4001::1', '64:ff9b::101:101', '64:ff9b::b00:1']

/** One address of each network that is not public, with the edges of those that are easily mistaken. */
const NOT_PUBLIC = [
  '0.0.0.0',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.19.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
]
const NOT_PUBLIC_IPV6 = [
  '::',
  '::1',
  '::ffff:10.0.0.1',
  '::ffff:1.1.1.1',
  '::127.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b::7f00:1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:a00:1::1',
  '3fff::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
]

describe('an address', () => {
  it.for([...PUBLIC, ...PUBLIC_IPV6])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it.for([...NOT_PUBLIC, ...NOT_PUBLIC_IPV6])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

describe('a name', () => {
  it('that resolves to this machine is connected to during development only', async () => {
    const receiver = await startReceiver()
    const post = { url: receiver.url.replace('127.0.0.1', 'localhost'), headers: {}, body: '{}' }
    await expect(webhookPost(false)(post)).rejects.toThrow(
      'the host name resolves to an address that is not public',
    )
    expect(receiver.received).toEqual([])
    expect(await webhookPost(true)(post)).toEqual({ status: 204, retryAfter: null })
    expect(receiver.received).toHaveLength(1)
    await receiver.close()
  })

  it('is looked up at once, while the servers of many other names do not answer', async () => {
    const server = await nameServer('private.example.com', [10, 0, 0, 1])
    const post = webhookPost(false, () => {
      const resolver = new Resolver({ timeout: 2_000, tries: 1 })
      resolver.setServers([`127.0.0.1:${server.address().port}`])
      return resolver
    })
    const message = (host: string) => ({ url: `https://${host}/events`, headers: {}, body: '{}' })
    const silent = Array.from({ length: 20 }, (_, i) =>
      post(message(`silent-${i}.example.com`)).catch((error: Error) => error.message),
    )
    const begun = performance.now()
    await expect(post(message('private.example.com'))).rejects.toThrow('an address that is not public')
    expect(performance.now() - begun).toBeLessThan(1_500)
    expect(new Set(await Promise.all(silent))).toEqual(new Set(['the connection failed: ETIMEOUT']))
    server.close()
  })
})

/** A server of DNS (RFC 1035 §4) that knows one name, and says nothing about any other. */
async function nameServer(
  known: string,
  address: readonly [number, number, number, number],
): Promise<Socket> {
  const server = createSocket('udp4')
  const labels = known.split('.').map((label) => String.fromCharCode(label.length) + label)
  const isA = Buffer.from(`${labels.join('')}\0\0\x01\0\x01`, 'latin1')
  server.on('message', (query, { port }) => {
    const question = query.subarray(12, 12 + isA.length)
    if (!question.subarray(0, -4).equals(isA.subarray(0, -4))) return
    const isAsked = question.equals(isA)
    const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, isAsked ? 1 : 0, 0, 0, 0, 0])
    const answer = isAsked ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address] : []
    server.send(Buffer.concat([head, question, Buffer.from(answer)]), port, '127.0.0.1')
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
