/**
 * Formats a sequence as a shell script that reproduces the failure against `npm start`.
 */
import { type Action, initialActions, type Ref, type Sequence } from './commands.ts'
import { NOBODY, requestOf, resolve, type Slots } from './requests.ts'

/** Ids and entity tags are shell variables that the creations set. */
const VARIABLES: Slots = {
  idOf: ({ type, slot }: Ref) => (type === 'nobody' ? NOBODY : `\${${variable(type, slot)}:-${NOBODY}}`),
  etagOf: () => '$ETAG',
}

export function asCurl(sequence: Sequence): string {
  const { groupLimit, steps } = sequence
  const lines = steps.flatMap((commands, index) => {
    if (commands.length === 1) return commands.map(({ action }) => lineOf(action))
    return [
      `# step ${index}, concurrently:`,
      ...commands.map(({ action }) => `(${lineOf(action)}) &`),
      'wait',
    ]
  })
  return [
    `# A tenant with "groupLimit": ${groupLimit}; TENANT_URL and TOKEN are those of a client of it.`,
    '# $ETAG is the last version of this resource that the client received.',
    ...initialActions(sequence).map(lineOf),
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
