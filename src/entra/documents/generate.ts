/**
 * Generates a directory of any size for load tests and demonstrations. The same options and seed give the same
 * directory: names in several scripts, guests, disabled and unassigned users, and groups from a few members to nearly
 * all users. Pure.
 */

export interface GenerateOptions {
  readonly users: number
  readonly groups: number
  /** Approximate total number of memberships. */
  readonly memberships: number
  readonly seed: number
  readonly domain: string
}

interface PersonName {
  readonly shown: string
  /** The form used in addresses. */
  readonly latin: string
}

const GIVEN: readonly PersonName[] = names(
  'Mirela Tavish Zoë:zoe José:jose Anaïs:anais Björn:bjorn Łucja:lucja Đorđe:dorde Šárka:sarka Øyvind:oyvind Þóra:thora Siân:sian Jürgen:jurgen Émile:emile João:joao Çiğdem:cigdem Ömer:omer Réka:reka Ștefan:stefan Väinö:vaino Åsa:asa Bruno Carla Dario Elsa Felix Greta Hugo Iris Jonas Klara Levi Mona Nora Petra Rosa Sven Tilda Vera Wim Yara Ελένη:eleni Γιώργος:giorgos Анна:anna Юрий:yuri ليلى:layla عمر:omar נועה:noa अनिका:anika रोहन:rohan 晓明:xiaoming さくら:sakura 지민:jimin สมชาย:somchai',
)
const FAMILY: readonly PersonName[] = names(
  "Osterholt Lindqvist-Amaro:lindqvist-amaro O'Hara:o'hara Ångström:angstrom Müller:muller Weiß:weiss García:garcia Sørensen:sorensen Kowalczyk Dvořák:dvorak Đukić:dukic Țurcanu:turcanu Yıldız:yildiz Bērziņš:berzins Virtanen Mäkelä:makela Conceição:conceicao Súilleabháin:suilleabhain Lefèvre:lefevre Szűcs:szucs Fontaine Achterberg Bellamy Corrigan Ellery Fairweather Granger Hollis Ivers Παπαδοπούλου:papadopoulou Ковалёва:kovaleva Шевченко:shevchenko الحداد:alhaddad לוי:levi शर्मा:sharma 王:wang 佐藤:sato 김:kim ใจดี:jaidee",
)
const DEPARTMENTS = ['Field', 'Research', 'Finance', 'People', 'Operations', 'Design', 'Legal', 'Support']
const PLACES = [
  'North',
  'South',
  'Équipe',
  'Ομάδα',
  'Команда',
  'فريق',
  '研发',
  '開発',
  'Lab',
  'Night Shift',
  'Projects',
  'Access',
]

/** Generates a directory document that can be written as JSON. */
export function generateDirectory(options: GenerateOptions): { users: object[]; groups: object[] } {
  const random = seededRandom(options.seed)
  const users = Array.from({ length: options.users }, (_, index) => makeUser(index, options.domain, random))
  return {
    users,
    groups: makeGroups(
      options,
      users.map(({ id }) => id),
      random,
    ),
  }
}

function makeUser(
  index: number,
  domain: string,
  random: () => number,
): { id: string } & Record<string, unknown> {
  const given = pick(GIVEN, random)
  const family = pick(FAMILY, random)
  const local = `${given.latin}.${family.latin}${index + 1}`
  const guest = random() < 0.04
  const upn = guest ? `${local}_partner.example#EXT#@${domain}` : `${local}@${domain}`
  return {
    id: uuid(random),
    userPrincipalName: upn,
    displayName: `${given.shown} ${family.shown}`,
    givenName: given.shown,
    ...(random() < 0.02 ? {} : { surname: family.shown }),
    mailNickname: local.replaceAll("'", ''),
    mail: guest ? `${local}@partner.example` : upn,
    department: pick(DEPARTMENTS, random),
    accountEnabled: random() >= 0.02,
    ...(guest ? { userType: 'Guest' } : {}),
    ...(random() < 0.02 ? { assigned: false } : {}),
    ...(random() < 0.5 ? { extension_8f1c0f6e5a7d4c2b9e3a1d0b6c5f4e2d_objectGUID: uuid(random) } : {}),
  }
}

/** Group sizes decrease with their rank: a few groups are large and most are small. */
function makeGroups(
  { groups, memberships }: GenerateOptions,
  ids: readonly string[],
  random: () => number,
): object[] {
  const weights = Array.from({ length: groups }, (_, rank) => 1 / (rank + 5))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let left = Math.min(memberships, ids.length * groups)
  let weightLeft = total
  return weights.map((weight, rank) => {
    const share = Math.round((left * weight) / weightLeft)
    const size = Math.min(ids.length, share)
    left -= size
    weightLeft -= weight
    return {
      id: uuid(random),
      displayName: `${pick(DEPARTMENTS, random)} ${pick(PLACES, random)} ${rank + 1}`,
      mailNickname: `group${rank + 1}`,
      members: sample(ids, size, random),
    }
  })
}

function names(text: string): PersonName[] {
  return text.split(' ').map((part) => {
    const [shown = '', latin = shown.toLowerCase()] = part.split(':')
    return { shown, latin }
  })
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T
}

/** Selects `size` different ids in list order (Knuth's selection sampling). */
function sample(ids: readonly string[], size: number, random: () => number): string[] {
  const chosen: string[] = []
  for (let index = 0; index < ids.length && chosen.length < size; index++) {
    if ((ids.length - index) * random() < size - chosen.length) chosen.push(ids[index] as string)
  }
  return chosen
}

/** mulberry32, a 32-bit generator, is sufficient for names. Returns numbers from 0 (inclusive) to 1 (exclusive). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function uuid(random: () => number): string {
  const hex = Array.from({ length: 4 }, () =>
    Math.floor(random() * 4294967296)
      .toString(16)
      .padStart(8, '0'),
  ).join('')
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) % 4]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}
