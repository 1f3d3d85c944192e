/** Maps the ids of a recording to those of the endpoint that it is replayed at. Pure. */
import { isObject, type JsonObject } from '../problem.ts'

export class IdMap {
  readonly #ids = new Map<string, string>()

  get(recorded: string): string | undefined {
    return this.#ids.get(recorded)
  }

  /** Learns the ids of an answer: that of a resource, or those of the resources in a list with the same name. */
  learn(recorded: unknown, actual: unknown): void {
    if (!isObject(recorded) || !isObject(actual)) return
    this.#pair(recorded, actual)
    const found = resourcesOf(actual)
    for (const resource of resourcesOf(recorded)) {
      const name = nameOf(resource)
      const other = found.find((candidate) => name !== undefined && nameOf(candidate) === name)
      if (other !== undefined) this.#pair(resource, other)
    }
  }

  #pair({ id: recorded }: JsonObject, { id: actual }: JsonObject): void {
    if (typeof recorded === 'string' && typeof actual === 'string') this.#ids.set(recorded, actual)
  }

  /** Replaces recorded ids in a JSON body: whole values, references, and quoted ids in value paths. */
  inBody(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((element) => this.inBody(element))
    if (isObject(value))
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.inBody(part)]))
    return typeof value === 'string' ? (this.#ids.get(value) ?? this.inText(value)) : value
  }

  /** Replaces recorded ids in a path, a query, a reference or a value path. */
  inText(text: string): string {
    return text
      .replace(/(\/(?:Users|Groups)\/)([^/?#"]+)/g, (match, before: string, id: string) => {
        const mapped = this.#ids.get(decodeURIComponent(id))
        return mapped === undefined ? match : before + encodeURIComponent(mapped)
      })
      .replace(/(%22|")([^"%]*)\1/g, (match, quote: string, id: string) => {
        const mapped = this.#ids.get(id)
        return mapped === undefined ? match : quote + mapped + quote
      })
  }
}

/** The resources of a ListResponse. */
export function resourcesOf(body: JsonObject): readonly JsonObject[] {
  return Array.isArray(body.Resources) ? body.Resources.filter(isObject) : []
}

/** The name by which a user or group is known at any endpoint, in lower case. */
export function nameOf({ userName, displayName }: JsonObject): string | undefined {
  const name = userName ?? displayName
  return typeof name === 'string' ? name.toLowerCase() : undefined
}
