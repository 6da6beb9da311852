// RFC 9110, 5.6.4: a value in quotes, its quotes and backslashes escaped. Pure. A header carries bytes: what stands here for UTF-8
// text is one character a byte, as the HTTP client writes it.

export const quoted = (text: string): string =>
  `"${Buffer.from(text, 'utf8').toString('latin1').replace(/["\\]/g, '\\$&')}"`
