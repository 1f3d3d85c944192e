/** Grades of what a step found, by their effect on Entra. Pure. */

/**
 * From good to bad: "success" is the documented response, "acceptable" is tolerated by the service, a "deviation" causes
 * wrong data or needless requests, and an "error" stops provisioning. Then those of steps that did not run: "skipped" could
 * not, "not-applicable" need not.
 */
export const GRADES = ['success', 'acceptable', 'deviation', 'error', 'skipped', 'not-applicable'] as const

export type Grade = (typeof GRADES)[number]

/** Whether a step with this grade did not do what Entra needs. */
export function isBad(grade: Grade): boolean {
  return grade === 'deviation' || grade === 'error'
}
