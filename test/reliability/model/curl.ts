/**
 * A sequence as a shell script: what somebody who wants to see it fail by hand runs, against `npm start`.
 */
import { type Action, furniture, type Ref, type Sequence } from './commands.ts'
import { NOBODY, requestOf, resolve, type Slots } from './requests.ts'

/** Ids and entity tags as shell variables, which the creations set. */
const VARIABLES: Slots = {
  idOf: ({ type, slot }: Ref) => (type === 'nobody' ? NOBODY : `\${${variable(type, slot)}:-${NOBODY}}`),
  etagOf: () => '$ETAG',
}

export function asCurl(sequence: Sequence): string {
  const { groupLimit, steps } = sequence
  const lines = steps.flatMap((commands, index) => {
    if (commands.length === 1) return commands.map(({ action }) => lineOf(action))
    return [`# step ${index}, all at once:`, ...commands.map(({ action }) => `(${lineOf(action)}) &`), 'wait']
  })
  return [
    `# A tenant with "groupLimit": ${groupLimit}; TENANT_URL and TOKEN are those of a client of it.`,
    '# $ETAG stands for the version that the client saw last of this resource.',
    ...furniture(sequence).map(lineOf),
    ...lines,
  ].join('\n')
}

function lineOf(action: Action): string {
  const { method, path, body, ifMatch } = requestOf(resolve(action, VARIABLES))
  const parts = [
    `curl -sS -X ${method} "$TENANT_URL${path}"`,
    '-H "Authorization: Bearer $TOKEN"',
    ...(ifMatch === undefined ? [] : [`-H 'If-Match: ${ifMatch}'`]),
    ...(body === undefined
      ? []
      : [
          "-H 'Content-Type: application/scim+json'",
          `-d "${JSON.stringify(body).replace(/["\\]/g, '\\$&')}"`,
        ]),
  ]
  const line = parts.join(' ')
  if (!action.do.startsWith('create') || !('at' in action)) return line
  return `${variable(action.at.type, action.at.slot)}=$(${line} | sed -n 's/.*"id":"\\([^"]*\\)".*/\\1/p')`
}

function variable(type: string, slot: number): string {
  return `${type.toUpperCase()}_${slot}`
}
