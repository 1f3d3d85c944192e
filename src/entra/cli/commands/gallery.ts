/** `check --suite gallery`: runs Microsoft's validation for the app gallery and prints what it would say. */
import { randomUUID } from 'node:crypto'
import { GALLERY_JOB } from '../../gallery/gallery-job.ts'
import {
  type GalleryResult,
  type GalleryVerdict,
  galleryVerdict,
  runGallerySuite,
} from '../../gallery/suite.ts'
import type { FederatedGrant } from '../../oauth/grant.ts'
import type { Exchange } from '../../protocol/scim-client.ts'
import { galleryReport } from '../../report/gallery-report.ts'
import { visible } from '../../visible-text.ts'
import { type Access, withAccess } from '../access.ts'
import { type Authentication, readAuthentication } from '../authentication.ts'
import { dialectOption, type OptionValues, textOption } from '../options.ts'
import { readReportFiles, SeenSecrets, writeReports } from '../reports.ts'
import { systemClock } from '../system-clock.ts'
import { readTarget, type Target } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import { version } from '../version.ts'
import type { CommandContext } from './command.ts'
import { interruption } from './interruption.ts'

/**
 * Exit code 0 if the validator's overall result is "Succeeded", 3 if it is "Failed", 130 if interrupted.
 * @throws {UsageError}
 */
export function checkGallery(command: CommandContext): Promise<number> {
  const { values, errors } = command
  requireNoSelection(values)
  const target = readTarget(values)
  const federated = federatedAuthentication(command, target)
  // Before anything is sent.
  readReportFiles(values)
  const open = (authentication: Authentication, work: (access: Access) => Promise<number>) =>
    withAccess(authentication, values, errors.write, work)
  return open(target.authentication, (access) => {
    if (federated === undefined) return run(command, target, access)
    return open(federated, ({ grant }) =>
      run(command, target, access, grant?.kind === 'federated' ? grant : undefined),
    )
  })
}

/** The validator has one selection of tests and one set of mappings; a job file replaces the latter. */
function requireNoSelection(values: OptionValues): void {
  const given = ['preset', 'only', 'skip'].find((name) => textOption(values, name) !== undefined)
  if (given !== undefined) throw new UsageError(`--${given} cannot be used with --suite gallery`)
}

/** With --federated-client-id, both tests of authentication can run. The embedded issuer signs the assertion. */
function federatedAuthentication({ values }: CommandContext, target: Target): Authentication | undefined {
  const clientId = textOption(values, 'federated-client-id')
  if (clientId === undefined) return undefined
  if (target.authentication.kind !== 'client-credentials')
    throw new UsageError('--federated-client-id needs --auth client-credentials, to test both')
  const { tokenEndpoint } = target.authentication
  const federated = { auth: 'federated', 'client-id': clientId, 'token-endpoint': tokenEndpoint }
  return readAuthentication(federated, { folder: '.' }, target.tenantUrl)
}

async function run(
  { values, output }: CommandContext,
  { tenantUrl, job, authentication }: Target,
  { tokens, fetch, grant }: Access,
  federation: FederatedGrant | undefined = grant?.kind === 'federated' ? grant : undefined,
): Promise<number> {
  const json = values.json === true
  const files = readReportFiles(values)
  const secrets = new SeenSecrets(authentication)
  const startedAt = systemClock.now()
  const stop = interruption()
  const gallery = { ...GALLERY_JOB, dialect: dialectOption(values, tenantUrl, GALLERY_JOB.dialect) }
  const suite = runGallerySuite({
    ...{ tenantUrl, tokens, fetch: secrets.watch(fetch) },
    ...{ clock: systemClock, newId: randomUUID, signal: stop.signal },
    ...(grant?.kind === 'client-credentials' ? { clientCredentials: grant } : {}),
    ...(federation === undefined ? {} : { federation }),
    job: textOption(values, 'job') === undefined ? gallery : job,
    onResult: (result) => {
      if (!json) output.write(describeResult(result, values.verbose === true))
    },
  })
  const results = await suite.finally(stop.end)
  const verdict = galleryVerdict(results)
  const interrupted = stop.signal.aborted
  const durationMs = systemClock.now() - startedAt
  const details = { tenantUrl, version, startedAt, durationMs, interrupted }
  writeReports(files, galleryReport(results, details), secrets)
  output.write(
    json ? `${JSON.stringify(jsonOf(results, verdict))}\n` : describeVerdict(results, verdict, interrupted),
  )
  if (interrupted) return 130
  return verdict.overall === 'Succeeded' ? 0 : 3
}

function jsonOf(results: readonly GalleryResult[], { overall, reasons }: GalleryVerdict) {
  const shown = results.map(({ test, ...result }) => {
    const { name, category, workflow, notConfirmed } = test
    return { name, category, workflow, notConfirmed, ...result }
  })
  return { suite: 'gallery', overall, reasons, results: shown }
}

function describeResult(
  { number, test, outcome, words, remark, exchanges }: GalleryResult,
  verbose: boolean,
): string {
  const bad = outcome === 'FAILED' || outcome === 'WARNING'
  const lines = [
    `  ${outcome.padEnd(7)}  ${String(number).padStart(2)}  ${test.name}`,
    ...(bad
      ? [`               Microsoft: ${visible(words)}`, `               Passes if ${test.passes}`]
      : []),
    ...(remark === undefined ? [] : [`               Note: ${visible(remark)}`]),
    ...exchanges.slice(verbose ? 0 : bad ? -LAST_EXCHANGES : exchanges.length).flatMap(describeExchange),
  ]
  return `${lines.join('\n')}\n`
}

/** The exchanges of a failed test that are shown without --verbose: what led to the failure is among the last. */
const LAST_EXCHANGES = 6

const MAX_LENGTH = 300

function describeExchange({ request, answer }: Exchange): string[] {
  const status = answer.kind === 'none' ? `no response: ${answer.message}` : `HTTP ${answer.status}`
  const parts = [
    `${request.method} ${request.path}: ${status}`,
    ...(request.body === undefined ? [] : [`> ${JSON.stringify(request.body)}`]),
    ...(answer.kind === 'none' || answer.text === '' ? [] : [`< ${answer.text}`]),
  ]
  return parts.map((part) => {
    const short = part.length > MAX_LENGTH ? `${part.slice(0, MAX_LENGTH)}…` : part
    return `               | ${visible(short)}`
  })
}

function describeVerdict(
  results: readonly GalleryResult[],
  { overall, reasons }: GalleryVerdict,
  interrupted: boolean,
): string {
  if (interrupted) return '\nInterrupted: no verdict\n'
  const count = (wanted: GalleryResult['outcome']) =>
    results.filter(({ outcome }) => outcome === wanted).length
  const counts = (['PASSED', 'WARNING', 'FAILED', 'SKIPPED'] as const).map(
    (outcome) => `${count(outcome)} ${outcome.toLowerCase()}`,
  )
  const list = reasons.map((reason) => `  ${visible(reason)}\n`).join('')
  return `\nOverall result: ${overall} (${counts.join(', ')})\n${list}`
}
