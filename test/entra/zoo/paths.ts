/** The attribute paths that the right server of the zoo understands; its own code, so that no mistake is shared. */

export type Json = Record<string, unknown>

interface Steps {
  /** The extension, the attribute, the wanted element, and the sub-attribute. */
  readonly urn: string | undefined
  readonly name: string
  readonly type: string | undefined
  readonly sub: string | undefined
}

function stepsOf(path: string): Steps {
  const extension = /^(urn:.+:2\.0:User):/.exec(path)?.[1]
  const rest = extension === undefined ? path : path.slice(extension.length + 1)
  const parts = /^(\w+)(?:\[type eq "(\w+)"\])?(?:\.(\w+))?$/.exec(rest)
  if (parts === null) throw new Error(`the zoo does not know the path ${path}`)
  const urn = extension?.includes(':core:') ? undefined : extension
  return { urn, name: parts[1] ?? '', type: parts[2], sub: parts[3] }
}

export function get(resource: Json, path: string): unknown {
  const { urn, name, type, sub } = stepsOf(path)
  const holder = (urn === undefined ? resource : resource[urn]) as Json | undefined
  let value = holder?.[name]
  if (type !== undefined) value = (value as Json[] | undefined)?.find((element) => element.type === type)
  return sub === undefined ? value : (value as Json | undefined)?.[sub]
}

/** Sets a value. Text becomes what the schema has: `active` a Boolean, a manager an object. */
export function set(resource: Json, path: string, value: unknown): void {
  const { urn, name, type, sub } = stepsOf(path)
  const holder = urn === undefined ? resource : childOf(resource, urn)
  if (type !== undefined) elementOf(holder, name, type)[sub ?? 'value'] = value
  else if (sub !== undefined) childOf(holder, name)[sub] = value
  else if (name === 'active') holder[name] = String(value).toLowerCase() === 'true'
  else holder[name] = name === 'manager' && typeof value === 'string' ? { value } : value
}

function childOf(holder: Json, name: string): Json {
  holder[name] ??= {}
  return holder[name] as Json
}

function elementOf(holder: Json, name: string, type: string): Json {
  holder[name] ??= []
  const list = holder[name] as Json[]
  const known = list.find((element) => element.type === type)
  if (known !== undefined) return known
  const added: Json = { type }
  list.push(added)
  return added
}
