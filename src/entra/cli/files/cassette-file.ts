/** A cassette: a HAR file with the requests to one SCIM endpoint. */
import { type Har, parseHar } from '../../recording/har.ts'
import { byTenantUrl, type ScimExchange } from '../../recording/scim-path.ts'
import { UsageError } from '../usage-error.ts'
import { readDocument, throwProblems } from './documents.ts'
import { writeAtomically } from './state-file.ts'

/**
 * Writes one entry in a line, so that a version control shows which ones differ.
 * @throws {UsageError}
 */
export function writeCassette(file: string, { log }: Har): void {
  const { entries, ...head } = log
  const lines = entries.map((entry) => JSON.stringify(entry)).join(',\n')
  writeAtomically(file, `{"log":${JSON.stringify(head).slice(0, -1)},"entries":[\n${lines}\n]}}\n`)
}

/** @throws {UsageError} if it is not a HAR file, or has requests to no SCIM endpoint or to several */
export function readCassette(file: string): readonly ScimExchange[] {
  const source = readDocument(file, 'cassette')
  const { exchanges, problems } = parseHar(source.value)
  throwProblems(source, problems.list, 'cassette')
  const tenants = byTenantUrl(exchanges)
  const [first, ...others] = tenants.values()
  if (first === undefined)
    throw new UsageError(
      `The cassette "${file}" has ${exchanges.length} requests, none of them to /Users, /Groups or another SCIM endpoint; nothing was sent.`,
    )
  if (others.length > 0)
    throw new UsageError(
      `The cassette "${file}" has requests to ${tenants.size} endpoints; nothing was sent. Keep those to one of:\n${[...tenants].map(([url, { length }]) => `  ${url} (${length} requests)`).join('\n')}`,
    )
  return first
}
