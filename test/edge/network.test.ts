import { describe, expect, it } from 'vitest'
import { networkOf } from '../../src/edge/network.ts'

describe('networkOf', () => {
  it.for([
    ['192.0.2.7', '192.0.2.7'],
    // Azure's application gateways add the port of the connection.
    ['192.0.2.7:50123', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['64:ff9b::192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:7::1', '2001:db8:0:7::/64'],
    ['2001:0DB8:0000:0007:ffff:ffff:ffff:ffff', '2001:db8:0:7::/64'],
    ['2001:db8:0:7:1:2:192.0.2.7', '2001:db8:0:7::/64'],
    ['[2001:db8:0:7::1]', '2001:db8:0:7::/64'],
    ['[2001:db8:0:7::1]:443', '2001:db8:0:7::/64'],
    [' 2001:db8:0:7::1 ', '2001:db8:0:7::/64'],
    ['2001:db8:0:8::1', '2001:db8:0:8::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ] as const)('of %s is %s', ([address, network]) => {
    expect(networkOf(address)).toBe(network)
  })

  it.for(['unknown', '', '1:2:3', '1::2::3', '12345::', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8:9'])(
    'returns %j unchanged, because it is not an address',
    (text) => {
      expect(networkOf(text)).toBe(text)
    },
  )
})
