/** Operations of a PATCH request of the validator. Pure. */

/** One operation, or several in one without a path. */
export type PatchOperation = ReplaceOperation | { readonly op: 'replace'; readonly value: object }

export interface ReplaceOperation {
  readonly op: 'replace'
  readonly path: string
  readonly value: string | number | boolean | null
}

/** The same changes, with all attributes that select no element in one operation without a path. */
export function pathlessOperations(operations: readonly ReplaceOperation[]): readonly PatchOperation[] {
  const flat = operations.filter(({ path }) => !path.includes('['))
  const value = Object.fromEntries(flat.map((operation) => [operation.path, operation.value]))
  return [
    ...operations.filter(({ path }) => path.includes('[')),
    ...(flat.length === 0 ? [] : [{ op: 'replace' as const, value }]),
  ]
}
