/**
 * SCIM_User_Pagination_Test and SCIM_Group_Pagination_Test: reads at least 11 resources, five at a time.
 *
 * Microsoft: SCIMTests_Workflow.json.
 */
import { type ObjectType, pageRequest } from '../../protocol/requests.ts'
import { failed, type GalleryContext, success, type Verdict } from '../gallery-test.ts'
import { postRequest, resourcesOf } from '../requests.ts'
import { groupBody, shortId, userBody } from '../target-attributes.ts'

const PAGE = 5
const MIN_RESOURCES = 11
const MAX_PAGES = 10

export async function readPages(context: GalleryContext, type: ObjectType): Promise<Verdict> {
  const { session } = context
  const first = await session.send(pageRequest(type, 1, PAGE))
  const total = Number(first.body.totalResults ?? 0)
  // A failed creation does not end the test: the pages are read anyway.
  for (let count = total; count < MIN_RESOURCES; count++) await createOne(context, type)
  const { pages, failedPages } = await traverse(context, type)
  if (pages >= 2 && failedPages === 0) return success()
  return failed(`Action: Filter_${type}_Pagination_Failed_Pages - Pages=${pages} failedPages=${failedPages}`)
}

async function createOne({ job, session, newId }: GalleryContext, type: ObjectType): Promise<void> {
  const body =
    type === 'User'
      ? {
          ...userBody(job, `paguser${shortId(newId)}@test.com`, newId),
          displayName: `PagUser ${shortId(newId)}`,
        }
      : groupBody(job, `PagGroup ${shortId(newId)}`, newId)
  await session.send(postRequest(type, body))
}

/** A page has failed if it is not answered with 200, or if `startIndex` is not what five resources a page give. */
async function traverse(
  { session }: GalleryContext,
  type: ObjectType,
): Promise<{ readonly pages: number; readonly failedPages: number }> {
  let failedPages = 0
  let next: number | undefined = 1
  let pages = 0
  for (; next !== undefined && pages < MAX_PAGES; pages++) {
    const { status, body } = await session.send(pageRequest(type, next, PAGE))
    const shown = Number(body.startIndex ?? 0)
    if (status !== 200 || shown !== pages * PAGE + 1) failedPages++
    const count = resourcesOf(body).length
    const following = Number(body.startIndex ?? 1) + count
    next = count > 0 && following <= Number(body.totalResults ?? 0) ? following : undefined
  }
  return { pages, failedPages }
}
