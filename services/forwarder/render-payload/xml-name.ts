// Which texts are names of XML elements. Enter: text. Leave: yes or no. Never: a changed name.
// A name here has no colon (NCName of Namespaces in XML 1.0): a property called `a:b` would be read as prefix and name.

/** NameStartChar and NameChar of XML 1.0, 5th edition, section 2.3, without the colon; for regular expressions with `u`. */
const START =
  'A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}-\\u{200D}' +
  '\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}'
const REST = `${START}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}-\\u{2040}`

/** The source of a regular expression (flag `u`) for one name. */
export const XML_NAME = `[${START}][${REST}]*`

const WHOLE = new RegExp(`^${XML_NAME}$`, 'u')

export const isXmlName = (text: string): boolean => WHOLE.test(text)
