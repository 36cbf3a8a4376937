'use strict'
// The story as @platformatic/kafka tells it. Arguments: BOOTSTRAP PREFIX.

const kafka = require('@platformatic/kafka')
const { Account, LOT, lot, run, say, times, until } = require('./story.js')

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const [bootstrap, prefix] = process.argv.slice(2)
const base = { clientId: 'story', bootstrapBrokers: [bootstrap], metadataMaxAge: 0 }
const admin = new kafka.Admin(base)
const topic = `${prefix}-topic`

const toMessage = (to, { value, key, number }) => ({ topic: to, value, key, headers: { number } })
const fromMessage = ({ value, key, headers }) => ({ value, key, number: headers.get('number') })

const producer = (settings = {}) => new kafka.Producer({ ...base, serializers: kafka.stringSerializers, ...settings })

// How many were acknowledged. BY: a producer or a transaction.
async function produce(to, records, by, settings = {}) {
  const before = await end(to)
  await by.send({ acks: -1, messages: records.map((record) => toMessage(to, record)), ...settings })
  return (await end(to)) - before
}

async function shape(name) {
  return (await admin.metadata({ topics: [name], forceUpdate: true })).topics.get(name).partitions
}

async function offsets(name, timestamp) {
  const partitions = (await shape(name)).map((_, partitionIndex) => ({ partitionIndex, timestamp }))
  return (await admin.listOffsets({ topics: [{ name, partitions }] }))[0].partitions.map(({ offset }) => Number(offset))
}

// The sum of the partitions' ends.
const end = async (name) => (await offsets(name, kafka.ListOffsetTimestamps.LATEST)).reduce((sum, offset) => sum + offset, 0)

// A topic is there when the broker's metadata tell of it, which may be later than the answer.
async function create(name, partitions) {
  await admin.createTopics({ topics: [name], partitions, replicas: 1 })
  await until(async () => (await admin.listTopics()).includes(name) && (await shape(name)).length === partitions)
}

// The name of an error, which lies inside of others.
function nameOf(error) {
  if (error.apiId) return error.apiId
  const names = [...(error.errors || []), ...(error.cause ? [error.cause] : [])].map(nameOf)
  return names.find((name) => name !== undefined)
}

// One member of a group that gives all messages to `take` and never commits by itself. `next` has the offsets behind what it took.
class Member {
  constructor(group, name) {
    const deserializers = kafka.stringDeserializers
    this.name = name
    this.next = new Map()
    this.consumer = new kafka.Consumer({ ...base, groupId: group, deserializers, maxWaitTime: 100, heartbeatInterval: 200 })
  }

  async start(take, isolationLevel) {
    const settings = { autocommit: false, mode: 'committed', fallbackMode: 'earliest', isolationLevel }
    this.stream = await this.consumer.consume({ topics: [this.name], ...settings })
    this.stream.on('data', (message) => {
      if (take(fromMessage(message), message)) this.next.set(message.partition, message.offset + 1n)
    })
    return this
  }

  partitions() {
    return (this.consumer.assignments || []).filter((each) => each.topic === this.name).reduce((sum, each) => sum + each.partitions.length, 0)
  }

  // A fetch that began before a rebalance still brings records of partitions that are another member's by now: until it is over.
  nextFetch() {
    return new Promise((resolve) => this.stream.once('fetch', resolve))
  }

  commit() {
    return this.consumer.commit({ offsets: [...this.next].map(([partition, offset]) => ({ topic: this.name, partition, offset, leaderEpoch: -1 })) })
  }

  async leave() {
    await this.stream.close()
    await this.consumer.close(true)
  }
}

const { READ_COMMITTED, READ_UNCOMMITTED } = kafka.FetchIsolationLevels
const join = (group, name, take, isolationLevel = READ_COMMITTED) => new Member(group, name).start(take, isolationLevel)

async function committed(group) {
  const [{ topics }] = await admin.listConsumerGroupOffsets({ groups: [group] })
  return topics.flatMap(({ partitions }) => partitions.map(({ committedOffset }) => Number(committedOffset))).filter((offset) => offset >= 0)
}

async function topics() {
  await create(topic, 4)
  const partitions = await shape(topic)
  say('create', `${partitions.length} partitions`)
  say('create-again', await admin.createTopics({ topics: [topic], partitions: 4, replicas: 1 }).then(() => 'no error', nameOf))
  say('list', (await admin.listTopics()).includes(topic) ? 'there' : 'not there')
  const [broker] = [...(await admin.metadata({ topics: [] })).brokers.keys()]
  const led = partitions.every((p) => p.leader === broker && `${p.replicas}` === `${broker}` && `${p.isr}` === `${broker}`)
  say('describe', led ? `${partitions.length} partitions, each led by the one broker` : JSON.stringify(partitions))
  const resource = { resourceType: kafka.ConfigResourceTypes.TOPIC, resourceName: topic }
  const set = { name: 'retention.ms', value: '123456', configOperation: kafka.IncrementalAlterConfigOperationTypes.SET }
  await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs: [set] }] })
  const retention = async () => (await admin.describeConfigs({ resources: [{ ...resource, configurationKeys: ['retention.ms'] }] }))[0].configs[0].value
  await until(async () => (await retention()) === '123456')
  say('config', `retention.ms=${await retention()}`)
}

async function resume() {
  const lots = []
  for (const compression of CODECS) {
    lots.push(lot(compression))
    say(`produce-${compression}`, `${await produce(topic, lots.at(-1), producer(), { compression })} acknowledged`)
  }
  const account = new Account(...lots)
  const group = `${prefix}-group`
  let isReading = true
  const first = await join(group, topic, (record) => {
    if (!isReading) return false
    account.saw(record)
    isReading = account.seen() < LOT
    return true
  })
  await until(() => !isReading)
  await first.commit()
  await first.leave()
  say('first-member', account.seen() === LOT ? 'has read and committed a part' : `has read ${account.seen()}`)
  const second = await join(group, topic, (record) => account.saw(record) || true)
  await until(() => account.isComplete())
  await second.commit()
  await second.leave()
  say('next-member', `has read the rest, ${account}`)
  const total = (await committed(group)).reduce((sum, offset) => sum + offset, 0)
  say('offsets', total === account.expected.size ? 'every record committed' : `${total} committed`)
  await admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset: 0n }] }] })
  const [{ topics }] = await admin.listConsumerGroupOffsets({ groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: [0] }] }] })
  say('group-reset', `partition 0 is at ${topics[0].partitions[0].committedOffset}`)
}

const isGroup = async (group) => (await admin.listGroups()).has(group)

async function sharing() {
  const name = `${prefix}-share`
  const group = `${name}-group`
  await create(name, 4)
  const records = lot('share', 2 * LOT)
  const account = new Account(records)
  const take = (record) => account.saw(record) || true
  const a = await join(group, name, take)
  await until(() => a.partitions() === 4)
  const alone = a.partitions()
  const b = await join(group, name, take)
  await until(() => a.partitions() === 2 && b.partitions() === 2)
  say('share', `${alone}, then ${a.partitions()} and ${b.partitions()}`)
  await Promise.all([a.nextFetch(), b.nextFetch()])
  await produce(name, records, producer())
  await until(() => account.isComplete())
  say('share-read', account)
  say('group-list', (await isGroup(group)) ? 'there' : 'not there')
  const { state, members } = (await admin.describeGroups({ groups: [group] })).get(group)
  say('group-describe', `${state[0]}${state.slice(1).toLowerCase()}, ${members.size} members`)
  say('group-delete-live', await admin.deleteGroups({ groups: [group] }).then(() => 'no error', nameOf))
  await a.commit()
  await b.commit()
  await b.leave()
  await until(() => a.partitions() === 4)
  say('share-left', `${a.partitions()} again`)
  await a.leave()
  await admin.deleteGroups({ groups: [group] })
  say('group-delete', (await isGroup(group)) ? 'still there' : 'gone')
}

// What a reader sees of one partition: every record before the COUNT-th one that says "end".
async function read(name, isolationLevel, count = 1) {
  const seen = []
  let ends = 0
  const take = (record) => {
    if (record.value === 'end') ends++
    else if (ends < count) seen.push(record)
  }
  const reader = await join(`${prefix}-reader-${process.hrtime.bigint()}`, name, take, isolationLevel)
  await until(() => ends >= count)
  await reader.leave()
  return seen
}

const endMark = (name) => producer().send({ acks: -1, messages: [toMessage(name, { value: 'end', key: 'end', number: '' })] })

async function byTime() {
  const name = `${prefix}-time`
  await create(name, 1)
  const { timestamps, between } = times()
  const messages = timestamps.map((timestamp) => ({ topic: name, value: 'time', timestamp: BigInt(timestamp) }))
  await producer().send({ acks: -1, messages })
  say('by-time', `offset ${(await offsets(name, BigInt(between)))[0]}`)
}

async function logs() {
  const name = `${prefix}-log`
  await create(name, 1)
  const records = lot('idempotent')
  await produce(name, records, producer({ idempotent: true }))
  await endMark(name)
  const seen = await read(name, READ_COMMITTED)
  const inOrder = seen.every(({ value }, i) => value === records[i].value)
  say('in-order', `${new Account(records).sawAll(seen)}, ${inOrder ? 'in order' : 'out of order'}`)
  const start = async () => (await offsets(name, kafka.ListOffsetTimestamps.EARLIEST))[0]
  const ends = [await start(), await end(name)]
  say('end-offsets', `${ends}` === `0,${LOT + 1}` ? '0 to the number of records' : ends)
  await byTime()
  await admin.deleteRecords({ topics: [{ name, partitions: [{ partition: 0, offset: 10n }] }] })
  say('delete-records', `from ${await start()} on`)
  await admin.createPartitions({ topics: [{ name, count: 6, assignments: null }] })
  await until(async () => (await shape(name)).length === 6)
  say('grow', `${(await shape(name)).length} partitions`)
}

async function transactions() {
  const name = `${prefix}-txn`
  await create(name, 1)
  const [kept, dropped] = [lot('kept'), lot('dropped')]
  const transactional = { transactionalId: `${prefix}-id`, idempotent: true }
  const p = producer(transactional)
  for (const [records, how] of [[kept, 'commit'], [dropped, 'abort']]) {
    const t = await p.beginTransaction()
    await produce(name, records, t)
    await t[how]()
  }
  await endMark(name)
  say('txn-commit', new Account(kept).sawAll(await read(name, READ_COMMITTED)))
  const everything = new Account(kept, dropped).sawAll(await read(name, READ_UNCOMMITTED))
  say('txn-abort', `${everything}` === 'each record once' ? 'none of it is committed' : everything)
  await move(name, kept, p)
  // By itself the client asks for an id with one that it does not have, which any broker refuses once the id is known.
  await producer({ ...transactional, producerId: -1n, producerEpoch: -1 }).beginTransaction()
  say('txn-fence', await fenced(p, name, dropped))
}

async function fenced(older, name, records) {
  try {
    const t = await older.beginTransaction()
    await produce(name, records, t)
    await t.commit()
    return 'the older producer commits'
  } catch (error) {
    return /PRODUCER_FENCED|INVALID_PRODUCER_EPOCH/.test(nameOf(error)) ? 'the older producer is fenced' : `${error}`
  }
}

// Consume, transform, produce: a transaction with its group's offsets, aborted first.
async function move(source, records, p) {
  const target = `${prefix}-moved`
  const group = `${prefix}-move-group`
  await create(target, 1)
  for (const how of ['abort', 'commit']) {
    const taken = []
    const m = await join(group, source, (record, message) => record.value !== 'end' && taken.push({ ...record, message }))
    await until(() => taken.length >= LOT)
    const t = await p.beginTransaction()
    await produce(target, taken, t)
    await t.addConsumer(m.consumer)
    await t.addOffset(taken.at(-1).message)
    await t[how]()
    await m.leave()
    await endMark(target)
    const seen = await read(target, READ_COMMITTED, how === 'abort' ? 1 : 2)
    const places = await committed(group)
    if (how === 'abort') say('txn-move-abort', seen.length + places.length === 0 ? 'no record, no offset' : `${seen.length}, ${places}`)
    else say('txn-move', `${new Account(records).sawAll(seen)}, ${places[0] >= LOT ? 'every offset' : `offset ${places}`}`)
  }
}

async function remove() {
  const mine = async () => (await admin.listTopics()).filter((name) => name.startsWith(prefix))
  await admin.deleteTopics({ topics: await mine() })
  say('delete', (await until(async () => (await mine()).length === 0)) ? 'gone' : 'still there')
}

run(async () => {
  await topics()
  await resume()
  await sharing()
  await logs()
  await transactions()
  await remove()
})
