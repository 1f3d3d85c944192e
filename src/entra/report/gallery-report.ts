/** The report of Microsoft's validation for the app gallery. Pure. */
import type { GalleryTest, Workflow } from '../gallery/gallery-test.ts'
import { type GalleryResult, galleryVerdict } from '../gallery/suite.ts'
import type { Grade } from '../grade.ts'
import { jsonObject } from '../oauth/token-response.ts'
import { requestUrl, type TenantUrl } from '../protocol/tenant-url.ts'
import type { Report, ReportCause, ReportExchange, ReportPart, ReportStep } from './report.ts'
import type { RunDetails } from './run-details.ts'

const SOURCE =
  'https://github.com/AzureAD/SCIMReferenceCode, Microsoft.SCIM.LogicAppValidationTemplate/StandardLogicApp'

const PARTS: Readonly<Record<Workflow, string>> = {
  'UserTests_Workflow.json': 'Users, through the provisioning service',
  'GroupTests_Workflow.json': 'Groups, through the provisioning service',
  'SCIMTests_Workflow.json': 'SCIM, direct requests',
}

export function galleryReport(results: readonly GalleryResult[], details: RunDetails): Report {
  const { tenantUrl, interrupted, ...run } = details
  const { overall, reasons } = galleryVerdict(results)
  const grade = overall === 'Succeeded' ? 'success' : 'error'
  const [authentication] = reasons.filter((reason) => reason.startsWith('Neither'))
  return {
    ...{ ...run, title: 'Microsoft’s validation for the app gallery', endpoint: tenantUrl.base },
    verdict: {
      grade: interrupted ? 'interrupted' : grade,
      text: interrupted ? 'Interrupted: no verdict' : `${overall}: ${counts(results)}`,
    },
    causes: [
      ...causesOf(results),
      ...(authentication === undefined ? [] : [authenticationCause(authentication)]),
    ],
    parts: partsOf(results, tenantUrl),
  }
}

function isBad({ outcome }: GalleryResult): boolean {
  return outcome === 'FAILED' || outcome === 'WARNING'
}

function counts(results: readonly GalleryResult[]): string {
  return (['PASSED', 'WARNING', 'FAILED', 'SKIPPED'] as const)
    .map(
      (outcome) =>
        `${results.filter((result) => result.outcome === outcome).length} ${outcome.toLowerCase()}`,
    )
    .join(', ')
}

function gradeOf({ outcome, remark }: GalleryResult): Grade {
  if (outcome === 'PASSED') return remark === undefined ? 'success' : 'acceptable'
  if (outcome === 'SKIPPED') return 'skipped'
  return outcome === 'FAILED' ? 'error' : 'deviation'
}

/**
 * The failed tests, grouped by the first request that was refused in them: one broken endpoint fails many tests. A test
 * without such a request is a cause of its own, in the validator's words.
 */
function causesOf(results: readonly GalleryResult[]): readonly ReportCause[] {
  const groups = new Map<string, GalleryResult[]>()
  for (const result of results.filter(isBad)) {
    const message = refusalOf(result) ?? result.words
    groups.set(message, [...(groups.get(message) ?? []), result])
  }
  return [...groups].map(([message, group]) => {
    const [first] = group as [GalleryResult, ...GalleryResult[]]
    const worst = group.find(({ outcome }) => outcome === 'FAILED') ?? first
    return {
      ...{ grade: gradeOf(worst), message, source: sourceOf(worst.test), ...effectOf(worst) },
      steps: group.map(({ test, words }) => (words === message ? test.name : `${test.name}: ${words}`)),
    }
  })
}

/** `POST /Groups was answered with HTTP 400: …`. Looking for what does not exist may give 404. */
function refusalOf({ exchanges }: GalleryResult): string | undefined {
  const refused = exchanges.find(
    ({ request, answer }) =>
      answer.kind === 'none' ||
      (answer.status >= 400 && !(request.method === 'GET' && answer.status === 404)),
  )
  if (refused === undefined) return undefined
  const { request, answer } = refused
  const line = `${request.method} ${request.path.replace(/\?.*/, '').replace(/^\/(\w+)\/.+/, '/$1/{id}')}`
  if (answer.kind === 'none') return `${line} was not answered: ${answer.message}`
  const detail = detailOf(answer.text)
  return `${line} was answered with HTTP ${answer.status}${detail === '' ? '' : `: ${detail}`}`
}

/** The detail of a SCIM error, or what an OAuth error says. */
function detailOf(text: string): string {
  const { detail, error_description: description } = jsonObject(text) ?? {}
  return [detail, description].find((value) => typeof value === 'string') ?? ''
}

function authenticationCause(message: string): ReportCause {
  const steps = ['Validate_Credentials_Test', 'Federated_Identity_Test']
  return { grade: 'error', message, steps, source: `${SOURCE}/SCIM-Validation-Test-Overview.md` }
}

function sourceOf({ workflow }: GalleryTest): string {
  return `${SOURCE}/${workflow}`
}

function effectOf({ test, outcome }: GalleryResult): { readonly consequence?: string } {
  if (outcome === 'FAILED')
    return {
      consequence: `The application is not accepted into the gallery. ${test.name} passes if ${test.passes}.`,
    }
  if (outcome === 'WARNING')
    return {
      consequence: `A warning, which does not block the gallery. ${test.name} passes if ${test.passes}.`,
    }
  return {}
}

function partsOf(results: readonly GalleryResult[], tenantUrl: TenantUrl): readonly ReportPart[] {
  const workflows = Object.keys(PARTS) as readonly Workflow[]
  return workflows.flatMap((workflow) => {
    const steps = results
      .filter(({ test }) => test.workflow === workflow)
      .map((result) => stepOf(result, tenantUrl))
    return steps.length === 0 ? [] : [{ name: PARTS[workflow], steps }]
  })
}

function stepOf(result: GalleryResult, tenantUrl: TenantUrl): ReportStep {
  const { test, words, remark, exchanges, durationMs } = result
  return {
    ...{ name: test.name, grade: gradeOf(result), durationMs, source: sourceOf(test) },
    message: remark === undefined ? words : `${words}. Note: ${remark}`,
    ...effectOf(result),
    exchanges: exchanges.map((exchange): ReportExchange => {
      const { path } = exchange.request
      return { ...exchange, url: path.startsWith('/') ? requestUrl(tenantUrl, path) : path }
    }),
  }
}
