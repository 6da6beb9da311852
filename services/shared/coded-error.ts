// An error of a socket that we made ourselves, with a code that read-failure.ts knows. Its message is told as it is.
export class CodedError extends Error {
  readonly code: 'ADDRESS_NOT_ALLOWED' | 'TLS_MATERIAL' | 'PROXY_REFUSED' | 'ANSWER_ENDLESS'

  constructor(code: CodedError['code'], message: string) {
    super(message)
    this.code = code
  }
}
