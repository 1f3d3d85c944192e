/**
 * The names of unknown attributes and schemas that a client sent. They are ignored and reported in the provisioning log.
 */
import { shorten } from './error.ts'
import { MAX_IGNORED_NAMES } from './limits.ts'

/** Adds a name to the list, unless the list contains it or is full. */
export function noteIgnored(names: string[], name: string): void {
  if (names.length >= MAX_IGNORED_NAMES) return
  const short = shorten(name)
  if (!names.includes(short)) names.push(short)
}
