/**
 * The names of what a client sent and we do not know: they are ignored, and told in the provisioning log.
 */
import { shorten } from './error.ts'

/** A body of a megabyte can hold 100,000 unknown names; an administrator reads the first. */
const MAX_NAMES = 100

/** Notes a name, once, as long as there is room. */
export function noteIgnored(names: string[], name: string): void {
  const short = shorten(name)
  if (names.length < MAX_NAMES && !names.includes(short)) names.push(short)
}
