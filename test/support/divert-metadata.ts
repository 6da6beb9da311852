// Loaded into a process before anything else (`--import`): whatever it dials at the cloud's metadata address comes to a port of this
// machine instead, named by DIVERT_TO. It is the last place before the system: names and literals, TLS and not, all go through it.
// So a test hears it when something is dialled there, on machines where nobody listens at that address, and needs no rights for it.
type Handle = { connect: (this: Handle, request: object, address: string, port: number) => number }

const binding = Reflect.get(process, 'binding') as (name: string) => { readonly TCP: { readonly prototype: Handle } }
const { prototype } = binding.call(process, 'tcp_wrap').TCP
const { connect } = prototype

prototype.connect = function (this: Handle, request, address, port) {
  return address === '169.254.169.254'
    ? connect.call(this, request, '127.0.0.1', Number(process.env['DIVERT_TO']))
    : connect.call(this, request, address, port)
}
