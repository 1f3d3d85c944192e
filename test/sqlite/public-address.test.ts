/** Which addresses the webhooks of a self-hosted server reach. */
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
})
