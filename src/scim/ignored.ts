/**
 * The names of what a client sent and we do not know: they are ignored, and told in the provisioning log.
 */
import { shorten } from './error.ts'
import { MAX_IGNORED_NAMES } from './limits.ts'

/** Notes a name, once, as long as there is room. */
export function noteIgnored(names: string[], name: string): void {
  if (names.length >= MAX_IGNORED_NAMES) return
  const short = shorten(name)
  if (!names.includes(short)) names.push(short)
}
