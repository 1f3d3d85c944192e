/**
 * Findings of `check`, each with its grade. Pure.
 */
import type { Grade } from '../grade.ts'
import type { JsonObject } from '../problem.ts'
import type { WireResponse } from '../protocol/response.ts'

/** What was found, which decides what Entra does. */
export type FindingKind =
  /** There is no response. */
  | 'silence'
  /** A status that reports a failure. */
  | 'refusal'
  /** A status that reports success, where a refusal is expected. */
  | 'consent'
  /** The body is not what its status promises. */
  | 'body'
  /** Fewer resources or members than expected. */
  | 'missing'
  /** More resources or members than expected. */
  | 'surplus'
  /** An attribute has another value. */
  | 'value'
  /** An excluded attribute is returned. */
  | 'excluded'
  /** The "id" is missing, or is not a string. */
  | 'id'
  /** The message deviates, but its meaning is clear. */
  | 'form'

export interface Finding {
  readonly grade: Grade
  readonly message: string
  readonly kind?: FindingKind
  /** The attribute or the status, by which findings with the same cause are recognized. */
  readonly subject?: string
  /** The findings that were merged into this one. */
  readonly parts?: readonly Finding[]
  /** The resource in the response to a create or query request; its id is kept for later steps. */
  readonly resource?: JsonObject
}

export type Assertion = (answer: WireResponse) => Finding

/** A step that did not run counts as less than one that succeeded. */
const ORDER: readonly Grade[] = ['not-applicable', 'skipped', 'success', 'acceptable', 'deviation', 'error']

export function worstGrade(grades: readonly Grade[]): Grade {
  return grades.reduce((a, b) => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a), 'success')
}

export function finding(grade: Grade, message: string, resource?: JsonObject): Finding {
  return { grade, message, ...(resource === undefined ? {} : { resource }) }
}

export function pass(): Finding {
  return { grade: 'success', message: '' }
}

export function bad(kind: FindingKind, message: string, subject?: string): Finding {
  return { grade: 'error', kind, message, ...(subject === undefined ? {} : { subject }) }
}

export function deviation(kind: FindingKind, message: string, subject?: string): Finding {
  return { ...bad(kind, message, subject), grade: 'deviation' }
}

export function acceptable(message: string): Finding {
  return { grade: 'acceptable', kind: 'form', message }
}

/**
 * Whether the endpoint did what it was asked, although its response deviates: the following steps can tell more.
 */
export function isDoneAnyway({ grade, kind }: Pick<Finding, 'grade' | 'kind'>): boolean {
  return grade === 'deviation' && (kind === 'form' || kind === 'body' || kind === 'excluded')
}

/** Merges findings: the worst grade and all messages. */
export function combine(
  findings: readonly Finding[],
  successMessage: string,
  resource?: JsonObject,
): Finding {
  const parts = findings.filter(({ grade }) => grade !== 'success')
  if (parts.length === 0) return finding('success', successMessage, resource)
  const message = parts.map((part) => part.message).join('; ')
  return { ...finding(worstGrade(parts.map(({ grade }) => grade)), message, resource), parts }
}

/** The single findings of a merged one. */
export function partsOf(found: Finding): readonly Finding[] {
  return found.parts ?? (found.grade === 'success' ? [] : [found])
}

/** Lessens a worse grade, for a request that the service of today does not send. */
export function atWorst(grade: Grade, assertion: Assertion): Assertion {
  const lessen = (found: Finding): Finding =>
    ORDER.indexOf(found.grade) > ORDER.indexOf(grade) ? { ...found, grade } : found
  return (answer) => {
    const found = lessen(assertion(answer))
    return found.parts === undefined ? found : { ...found, parts: found.parts.map(lessen) }
  }
}
