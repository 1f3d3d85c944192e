/**
 * Which IP addresses belong to the public internet: the special-purpose registries of RFC 6890. Whoever may create
 * webhooks must not reach the private network of the server with them, nor the metadata service of its cloud.
 * https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
 */
import { BlockList, isIPv6 } from 'node:net'

/** Everything that is not public, in IPv4. */
const SPECIAL_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8], // this network, and the unspecified address
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared by the customers of a provider
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local: metadata services
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // relays of 6to4
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
]

/** Global unicast, which leaves out loopback, unique-local, link-local, multicast and mapped IPv4 addresses. */
const GLOBAL_IPV6 = ['2000::', 3] as const
/** Not public although within GLOBAL_IPV6. */
const SPECIAL_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23], // protocol assignments: Teredo, ORCHID, benchmarks
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: holds an IPv4 address
  ['3fff::', 20], // documentation
]
/** NAT64 (RFC 6052): the last 32 bits are an IPv4 address. */
const NAT64 = '64:ff9b::'
const NAT64_PREFIX = 96

const special = new BlockList()
for (const [network, prefix] of SPECIAL_IPV4) {
  special.addSubnet(network, prefix, 'ipv4')
  special.addSubnet(`${NAT64}${network}`, NAT64_PREFIX + prefix, 'ipv6')
}
for (const [network, prefix] of SPECIAL_IPV6) special.addSubnet(network, prefix, 'ipv6')

const globalIpv6 = new BlockList()
globalIpv6.addSubnet(...GLOBAL_IPV6, 'ipv6')
globalIpv6.addSubnet(NAT64, NAT64_PREFIX, 'ipv6')

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** @param address an IPv4 or IPv6 address as a resolver returns it */
export function isPublicAddress(address: string): boolean {
  if (!isIPv6(address)) return !special.check(address, 'ipv4')
  return globalIpv6.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

export function isLoopbackAddress(address: string): boolean {
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
