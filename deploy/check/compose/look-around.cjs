// Run by a container's own Node, for there need be no shell: what its first process is and may do.
// Enters: nothing. Leaves: a line of JSON.
const { readFileSync, writeFileSync } = require('node:fs')

const status = readFileSync('/proc/1/status', 'utf8')
const of = (name) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1]

let writing = 'done'
try {
  writeFileSync('/app/written', '')
} catch (error) {
  writing = error.code
}
const first = readFileSync('/proc/1/cmdline', 'utf8').split('\0').join(' ').trim()
// The bounding set and not the effective one, which is empty for whoever is not root.
const seen = { first, uid: Number(of('Uid')), mayEver: of('CapBnd'), noNewPrivileges: of('NoNewPrivs'), writing }
console.log(JSON.stringify(seen))
