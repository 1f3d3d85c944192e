/**
 * The settings of a tenant as shown: those that the admin API can change, so that a new one appears by itself.
 */

import { number } from '../components/number.ts'
import { TENANT_CHANGE } from '../contract/tenants.ts'
import type { ShownValue } from './values.ts'

const [{ entries }] = TENANT_CHANGE.pipe
/** The name is shown anyway. */
const NAMES = Object.keys(entries).filter((name) => name !== 'name')

/** @param tenant a tenant, or the input of a new one */
export function tenantValues(tenant: object): readonly ShownValue[] {
  const values = new Map<string, unknown>(Object.entries(tenant))
  return NAMES.filter((name) => values.has(name)).map((name) => ({
    name,
    words: wordsOf(name),
    value: textOf(values.get(name)),
  }))
}

/** "Unique group names". */
function wordsOf(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}

function textOf(value: unknown): string {
  if (value === null) return 'Off'
  // The guard is stored as JSON.
  if (typeof value === 'string' && value.startsWith('{')) {
    return Object.entries(JSON.parse(value) as object)
      .map(([name, part]) => `${wordsOf(name).toLowerCase()} ${part}`)
      .join(', ')
  }
  if (typeof value === 'boolean') return value ? 'Yes' : 'No'
  return typeof value === 'number' ? number(value) : String(value)
}
