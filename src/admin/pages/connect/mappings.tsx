/**
 * The mappings of a guide as tables.
 */
import type { Child } from 'hono/jsx'
import { Badge } from '../../components/blocks.tsx'
import type { ConnectGuide, MappingRow } from './guide.ts'
import { MarkedText } from './marked-text.tsx'

export function GuideMappings({ guide }: { readonly guide: ConnectGuide }) {
  return (
    <>
      <MappingTable title="Users" guide={guide} rows={guide.users} />
      {guide.groups === undefined ? (
        <p class="muted">It sends no groups.</p>
      ) : (
        <MappingTable title="Groups" guide={guide} rows={guide.groups} />
      )}
    </>
  )
}

function MappingTable(props: {
  readonly title: string
  readonly guide: ConnectGuide
  readonly rows: readonly MappingRow[]
}) {
  const { title, guide, rows } = props
  return (
    <table class="compact mappings">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">SCIM attribute</th>
          <th scope="col">{guide.sourceTitle}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ target, source, isMatching, hint }) => (
          <tr>
            <th scope="row">
              <code>
                <PathText path={target} />
              </code>{' '}
              {isMatching && <Badge tone="ok">Matching</Badge>}
            </th>
            <td data-label="From">
              <span>
                {isName(source) ? <code>{source}</code> : source}
                {hint !== undefined && (
                  <span class="hint block">
                    <MarkedText text={hint} />
                  </span>
                )}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** A path that may break after its colons and points. */
function PathText({ path }: { readonly path: string }): Child {
  return (
    <>
      {path.split(/(?<=[:.])/).map((part) => (
        <>
          {part}
          <wbr />
        </>
      ))}
    </>
  )
}

/** True for an attribute or an expression, which has no spaces or ends with a bracket; false for a description. */
function isName(source: string): boolean {
  return !source.includes(' ') || /[)}]$/.test(source)
}
