/**
 * Runs the steps of the checks: sends their requests, keeps the ids of created objects, and names the cause of each finding
 * and what Entra does because of it.
 */
import { isBad } from '../grade.ts'
import type { ScimRequest } from '../protocol/requests.ts'
import type { WireResponse } from '../protocol/response.ts'
import type { CheckClient } from './check-client.ts'
import type { CheckResult, Consequence } from './check-result.ts'
import type { CheckDefinition, CheckStep, IdOf, SingleStep } from './checks/check-definition.ts'
import { type Finding, type FindingKind, isDoneAnyway, partsOf } from './findings.ts'

/** Thrown when a step needs an object that could not be created. */
class MissingObject extends Error {
  override readonly name = 'MissingObject'
  readonly object: string

  constructor(object: string) {
    super(`requires the object "${object}", which could not be created`)
    this.object = object
  }
}

/** What Entra does, where a step does not say more. */
const EFFECTS: Readonly<Record<FindingKind, string>> = {
  silence: 'The object goes into escrow, and Entra tries again',
  refusal: 'The object goes into escrow, and Entra tries again',
  consent: 'Entra takes the request for done',
  body: 'Entra cannot read the response: the object goes into escrow, and Entra tries again',
  missing: 'Entra does not find the object: it tries to create it, and fails or makes a second one',
  surplus: 'Entra takes the wrong object, or logs MultipleEntriesInResponse',
  value: 'Entra sends the attribute again each time the object changes',
  excluded: 'The response is longer than Entra asks for',
  id: 'Entra cannot link the object: later cycles try to create it again',
  form: 'Entra is not known to fail; other clients do',
}

export class StepRunner {
  readonly #client: CheckClient
  readonly #ids = new Map<string, string>()
  /** The causes of objects that could not be created. */
  readonly #missing = new Map<string, string>()
  /** The first bad cause of each step of the dialect, by title; undefined if it was not bad. */
  readonly #causes = new Map<string, string | undefined>()
  readonly #answers = new Map<string, WireResponse>()

  constructor(client: CheckClient) {
    this.#client = client
  }

  /** Begins a dialect: its steps do not depend on those of another one. */
  begin(): void {
    this.#causes.clear()
  }

  answerOf(title: string): WireResponse | undefined {
    return this.#answers.get(title)
  }

  /** @returns undefined if a group of steps has nothing left to do */
  async run(step: CheckStep, check: CheckDefinition): Promise<CheckResult | undefined> {
    const result = 'steps' in step ? await this.#runGroup(step, check) : await this.#runSingle(step, check)
    if (result === undefined) return undefined
    this.#causes.set(step.title, obstacleOf(result))
    return result
  }

  async #runGroup(
    { title, steps }: { title: string; steps: readonly SingleStep[] },
    check: CheckDefinition,
  ): Promise<CheckResult | undefined> {
    let last: CheckResult | undefined
    let durationMs = 0
    for (const step of steps) {
      if (step.captures !== undefined && this.#isTried(step.captures)) continue
      if (this.#client.isAborted) break
      last = await this.#runSingle(step, check)
      durationMs += last.durationMs
      // The others would fail for the same reason.
      if (isBad(last.grade)) this.#giveUp(steps, last)
    }
    return last === undefined ? undefined : { ...last, title, durationMs }
  }

  #isTried(object: string): boolean {
    return this.#ids.has(object) || this.#missing.has(object)
  }

  #giveUp(steps: readonly SingleStep[], { title, findings }: CheckResult): void {
    const others = steps.flatMap(({ captures }) => captures ?? []).filter((object) => !this.#isTried(object))
    for (const object of others) this.#missing.set(object, findings?.[0]?.cause ?? title)
  }

  async #runSingle(step: SingleStep, check: CheckDefinition): Promise<CheckResult> {
    const shared = { check: check.name, title: step.title, source: check.source }
    const earlier = step.after?.find(
      (title) => this.#causes.get(title) !== undefined || !this.#causes.has(title),
    )
    if (earlier !== undefined) {
      const message = `requires the step "${earlier}"`
      return { ...shared, ...skipped(message, this.#causes.get(earlier) ?? earlier), durationMs: 0 }
    }
    try {
      return { ...shared, ...(await this.#exchange(step, check)) }
    } catch (error) {
      if (!(error instanceof MissingObject)) throw error
      const cause = this.#missing.get(error.object) ?? error.message
      return { ...shared, ...skipped(error.message, cause), durationMs: 0 }
    }
  }

  async #exchange(step: SingleStep, check: CheckDefinition): Promise<Omit<CheckResult, 'title'>> {
    for (const object of step.requires ?? []) this.#idOf(object)
    const assertion = step.assertion(this.#idOf)
    const request = step.request(this.#idOf)
    const { answer, durationMs } = await this.#client.send(request, step.credentials)
    this.#answers.set(step.title, answer)
    const found = assertion(answer)
    const { grade, message } = found
    const findings = partsOf(found).map((part) => consequenceOf(part, step, check, request))
    if (step.captures !== undefined) this.#capture(step.captures, found, findings)
    const consequence = findings.find((part) => part.grade === grade)?.consequence
    return {
      ...{ grade, message, request, answer, durationMs },
      ...(findings.length === 0 ? {} : { findings }),
      ...(isBad(grade) && consequence !== undefined ? { consequence } : {}),
    }
  }

  /** A number as an id is a finding, but the following steps use it as Entra would after the mistake. */
  #capture(object: string, { resource }: Finding, findings: readonly Consequence[]): void {
    const id = resource?.id
    if ((typeof id === 'string' && id !== '') || typeof id === 'number') this.#ids.set(object, String(id))
    else this.#missing.set(object, findings[0]?.cause ?? object)
  }

  readonly #idOf: IdOf = (object) => {
    const id = this.#ids.get(object)
    if (id === undefined) throw new MissingObject(object)
    return id
  }
}

/** The cause for which later steps would only show the same again; undefined if they can tell more. */
function obstacleOf({ grade, title, findings = [] }: CheckResult): string | undefined {
  if (grade === 'skipped') return findings[0]?.cause ?? title
  if (!isBad(grade)) return undefined
  const obstacle = findings.find((found) => isBad(found.grade) && !isDoneAnyway(found))
  return obstacle?.cause ?? (findings.length === 0 ? title : undefined)
}

function skipped(message: string, cause: string): Pick<CheckResult, 'grade' | 'message' | 'findings'> {
  return { grade: 'skipped', message, findings: [{ grade: 'skipped', message, cause }] }
}

function consequenceOf(
  part: Finding,
  step: SingleStep,
  check: CheckDefinition,
  request: ScimRequest,
): Consequence {
  const { grade, message, kind } = part
  const cause = causeOf(part, step, check, request)
  if (kind === undefined || !isBad(grade)) return { grade, message, cause }
  return { grade, message, cause, kind, consequence: step.effects[kind] ?? EFFECTS[kind] }
}

/** The same text for findings that one mistake of the endpoint explains. */
function causeOf(
  { kind, subject, message }: Finding,
  { title, credentials }: SingleStep,
  check: CheckDefinition,
  request: ScimRequest,
): string {
  const type = /^\/(\w+)/.exec(request.path)?.[1] ?? request.path
  if (check.name === 'connection' && kind !== 'surplus' && kind !== 'form') return `connection: ${message}`
  if (kind === 'silence') return 'the endpoint does not answer'
  if (credentials !== undefined) return `token: ${kind}`
  if (subject === undefined) return title
  if (kind === 'id') return subject
  if (kind === 'value') return `${type} "${subject}"`
  if (kind === 'form') return subject
  return `${request.method} ${type} ${subject}`
}
