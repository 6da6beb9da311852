// Which codes of an error say that a TLS handshake failed. Pure. Whoever sees one knows that nothing was sent.

/** OpenSSL's verification results and Node's own TLS errors. */
export const TLS_FAILURE =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO)/
