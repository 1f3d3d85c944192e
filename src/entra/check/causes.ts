/** Groups the findings of `check` by what explains them, and determines its verdict. Pure. */
import { type Grade, isBad } from '../grade.ts'
import type { CheckResult, Consequence } from './check-result.ts'
import { worstGrade } from './findings.ts'

export interface Cause {
  readonly grade: Grade
  /** The findings that were seen together at first. */
  readonly messages: readonly string[]
  readonly consequence?: string
  readonly source?: string
  /** The first result that shows it. */
  readonly first: CheckResult
  /** The titles of the steps that show it, without repetition. */
  readonly titles: readonly string[]
  /** The number of steps that could not run because of it. */
  readonly notRun: number
}

/** A cause while it is collected. */
type Draft = { -readonly [Name in keyof Cause]: Cause[Name] }

/**
 * The causes of all deviations and errors: errors first, then in the order in which they were seen. Findings that were
 * seen together at first and have the same effect have one cause.
 */
export function causesOf(results: readonly CheckResult[]): readonly Cause[] {
  const drafts = new Map<string, Draft>()
  for (const result of results) {
    for (const found of findingsOf(result)) {
      if (isBad(found.grade)) addFinding(drafts, result, found)
    }
  }
  for (const result of results) countSkipped(result, drafts)
  return [...new Set(drafts.values())].toSorted(
    (a, b) => Number(b.grade === 'error') - Number(a.grade === 'error'),
  )
}

function addFinding(drafts: Map<string, Draft>, result: CheckResult, found: Consequence): void {
  const { cause, grade, message, consequence } = found
  const together = [...drafts.values()].find(
    (draft) => draft.first === result && draft.consequence === consequence,
  )
  const draft = drafts.get(cause) ?? together ?? newDraft(result, found)
  if (!drafts.has(cause) && draft === together) draft.messages = [...draft.messages, message]
  drafts.set(cause, draft)
  draft.grade = worstGrade([draft.grade, grade])
  if (!draft.titles.includes(result.title)) draft.titles = [...draft.titles, result.title]
}

function newDraft(result: CheckResult, { grade, message, consequence }: Consequence): Draft {
  return {
    ...optional(result, consequence),
    grade,
    messages: [message],
    first: result,
    titles: [],
    notRun: 0,
  }
}

/** The steps at the token endpoint have one finding each. */
function findingsOf(result: CheckResult): readonly Consequence[] {
  const { findings, grade, message, title, consequence } = result
  return findings ?? [{ grade, message, cause: title, ...(consequence === undefined ? {} : { consequence }) }]
}

function optional(
  { source }: CheckResult,
  consequence: string | undefined,
): Pick<Cause, 'consequence' | 'source'> {
  return {
    ...(consequence === undefined ? {} : { consequence }),
    ...(source === undefined ? {} : { source }),
  }
}

function countSkipped({ grade, findings = [] }: CheckResult, drafts: Map<string, Draft>): void {
  const [first] = findings
  const draft = grade === 'skipped' && first !== undefined ? drafts.get(first.cause) : undefined
  if (draft !== undefined) draft.notRun++
}

/** The worst grade; "error" also if nothing succeeded. */
export function verdictOf(results: readonly CheckResult[]): Grade {
  const grades = results.map(({ grade }) => grade)
  const isChecked = grades.some((grade) => grade === 'success' || grade === 'acceptable' || isBad(grade))
  return isChecked ? worstGrade(grades) : 'error'
}
