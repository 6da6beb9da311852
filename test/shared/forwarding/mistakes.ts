// Forwarding files with one kind of mistake each.
import { CONNECTION_MISTAKES } from './connection-mistakes.ts'
import { REGISTRY, repeater, connection, value, writing, type Mistake } from './mistake.ts'

/** How YAML itself is written. */
const WRITING: readonly Mistake[] = [
  writing('an empty file', '»', 'the file is empty', /^begin with project:/),
  writing('nothing but comments', '»# later\n', 'the file is empty', /^begin with project:/),
  writing(
    'several documents',
    'project: demo\n»---\nproject: other\n',
    'the file holds several documents',
    /remove the line ---/,
  ),
  writing(
    'a tab for indentation',
    'project: demo\nconnections:\n»\t- id: a\n',
    'a tab indents this line',
    'indent with spaces',
  ),
  writing('a quote that is not closed', 'project: "demo»', /^the writing breaks off/, /close every quote/),
  writing(
    'a brace that is not closed',
    'project: demo\nconnections: [{ id: a\n»repeaters: []\n',
    /not closed/,
    /^close it/,
  ),
  writing(
    'no space after a colon',
    '»project:demo\nconnections: []\n',
    'this is no key with a value',
    /space after the colon/,
  ),
  writing(
    'a key written twice',
    'project: demo\n»project: other\n',
    'project is written twice',
    'keep one: the first is on line 1',
  ),
  writing('an anchor', 'project: &p »demo\n', 'the anchor &p is not read', /^remove it/),
  writing('a tag', 'project: »!text demo\n', 'tags are not read', /^remove the word that begins with "!"/),
  writing(
    'indentation that fits nothing',
    'project: demo\nconnections:\n    - id: a\n»  - id: b\n',
    /indentation/,
    /same column/,
  ),
]

/** What the keys and values of a file mean. */
const KEYS: readonly Mistake[] = [
  value(
    'an unknown key of the file',
    '»projekt: demo\n',
    'a forwarding file has no key projekt',
    'write project instead of projekt',
  ),
  value('a missing project', '»connections: []\n', 'a forwarding file needs project', 'add project: demo'),
  value(
    'an unknown key of a connection',
    connection('    »notfy: [ops@example.org]'),
    'a connection has no key notfy',
    'write notify instead of notfy',
  ),
  value(
    'an unknown key that is near to none',
    connection('    »zzzzzz: 1'),
    'a connection has no key zzzzzz',
    /^remove it, or use one of id, name, url/,
  ),
  value(
    'an unknown key of limits',
    connection('    limits: { »concurency: 8 }'),
    'limits has no key concurency',
    'write concurrency instead of concurency',
  ),
  value(
    'an unknown key of filters',
    repeater('    forward: cases\n    filters: { »case_types: [a] }'),
    'filters has no key case_types',
    'write caseTypes instead of case_types',
  ),
  value(
    'a missing url',
    'project: demo\nconnections:\n  - »id: registry\n',
    'a connection needs url',
    'add url: https://api.example.org/records',
  ),
  value(
    'a missing forward',
    `project: demo\n${REGISTRY}\nrepeaters:\n  - »id: a\n    connection: registry\n`,
    'a repeater needs forward',
    'add forward: forms | cases | form-stubs | apps',
  ),
  value('a key without a value', connection('    »name:'), 'name has no value', 'write name: …'),
  value(
    'connections that are no list',
    'project: demo\nconnections: »registry\n',
    'connections must be a list, not text',
    /^write each as an item/,
  ),
  value(
    'a connection that is no map',
    'project: demo\nconnections:\n  - »id:registry\n',
    'a connection must be a map, not text',
    'put a space after the colon: id: value',
  ),
  value(
    'a number for text',
    connection('    name: »1984'),
    'name must be text, and 1984 is a number',
    'put it in quotes: name: "1984"',
  ),
  value(
    'an id with other characters',
    'project: demo\nconnections: [{ id: »"Registry A", url: "https://a.example" }]\n',
    /^id "Registry A" may hold only/,
    'write id: registry-a',
  ),
  value('a project with a slash', 'project: »demo/a\n', /^project "demo\/a" may hold only/, 'write project: demo'),
  writing(
    'two connections of one id',
    'project: demo\nconnections:\n  - { id: a, url: "https://a.example" }\n  - { id: »a, url: "https://b.example" }\n',
    'another connection has the id a, on line 3',
    'give this one an id of its own',
  ),
  writing(
    'two repeaters of one id',
    repeater('    forward: cases\n  - { id: »patients, connection: registry, forward: forms }'),
    'another repeater has the id patients, on line 4',
    'give this one an id of its own',
  ),
  writing(
    'an unknown connection',
    `project: demo\n${REGISTRY}\nrepeaters: [{ id: a, connection: »registr, forward: cases }]\n`,
    'this file has no connection registr',
    'write connection: registry',
  ),
]

const REPEATERS: readonly Mistake[] = [
  value(
    'an unknown kind of change',
    repeater('    forward: »case'),
    'forward must be one of forms, cases, form-stubs, apps, not "case"',
    'write forward: cases',
  ),
  value(
    'a format that is far from any',
    repeater('    forward: cases\n    format: »protobuf'),
    /^format must be one of xml, json/,
    'write format: xml | json',
  ),
  value(
    'a format where there is none',
    repeater('    forward: apps\n    »format: xml'),
    'format is for forms, cases, and this repeater forwards apps',
    'remove it',
  ),
  value(
    'closed cases of a repeater of forms',
    repeater('    forward: forms\n    »closedCase: full'),
    'closedCase is for cases, and this repeater forwards forms',
    'remove it',
  ),
  writing(
    'closed cases as JSON',
    repeater('    forward: cases\n    format: json\n    »closedCase: full'),
    /^closedCase is for cases as XML/,
    'remove it, or write format: xml',
  ),
  writing(
    'a filter that does nothing',
    repeater('    forward: forms\n    filters: { »caseTypes: [a] }'),
    'caseTypes is for cases, and this repeater forwards forms',
    'remove it',
  ),
  writing(
    'superseding of events',
    repeater('    forward: forms\n    »supersede: waiting'),
    /^every change of forms is sent/,
    'remove it, or write supersede: never',
  ),
  value(
    'what no case does after a dead letter',
    repeater('    forward: cases\n    onDeadLetter: »stop'),
    'onDeadLetter must be one of continue, hold, not "stop"',
    /^write onDeadLetter: /,
  ),
  value(
    'text for a switch',
    repeater('    forward: forms\n    includeAppId: »"yes"'),
    'includeAppId must be true or false',
    'write includeAppId: true or includeAppId: false',
  ),
  value(
    'a method that sends nothing',
    repeater('    forward: cases\n    method: »GET'),
    /^method must be one of POST, PUT, DELETE/,
    /^write method: /,
  ),
  value(
    'a version there never was',
    repeater('    forward: cases\n    version: »3.0'),
    'version must be one of 2.0, 1.0, not "3.0"',
    /^write version: /,
  ),
  value(
    'no media type',
    repeater('    forward: cases\n    contentType: »json'),
    'contentType "json" is no media type',
    'write contentType: application/json',
  ),
]

export const MISTAKES: readonly Mistake[] = [...WRITING, ...KEYS, ...CONNECTION_MISTAKES, ...REPEATERS]
