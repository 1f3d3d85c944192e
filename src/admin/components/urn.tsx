/** A URN, which may break after its colons. */
export function Urn({ urn }: { readonly urn: string }) {
  return (
    <>
      {urn.split(/(?<=:)/).map((part, i) => (
        <>
          {i > 0 && <wbr />}
          {part}
        </>
      ))}
    </>
  )
}
