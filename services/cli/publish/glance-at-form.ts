// What can be seen of a form's XML without parsing it: enough to pick a key and an id for a trial; options override each.
// Enter: the document as text. Leave: text, or undefined where nothing is seen. Never: the last word: what is in a comment
// or in CDATA is taken for the real thing here, and the forwarder parses properly.

/** `<case … case_id="…">` under any prefix. */
const CASE_ID = /<(?:[\w.-]+:)?case\b[^>]*?\scase_id\s*=\s*["']([^"']+)["']/
/** OpenRosa's meta block: the id that the device gave the submission. */
const INSTANCE_ID = /<(?:[\w.-]+:)?instanceID\s*>\s*([^<\s]+)\s*</
/** The default namespace of the first element. */
const ROOT_XMLNS = /<[A-Za-z_][^>]*?\sxmlns\s*=\s*["']([^"']*)["']/

export const firstCaseId = (xml: string): string | undefined => CASE_ID.exec(xml)?.[1]

export const instanceId = (xml: string): string | undefined => INSTANCE_ID.exec(xml)?.[1]?.replace(/^uuid:/, '')

export function rootXmlns(xml: string): string | undefined {
  const root = /<[A-Za-z_][^>]*>/.exec(xml)?.[0]
  return root === undefined ? undefined : ROOT_XMLNS.exec(root)?.[1]
}
